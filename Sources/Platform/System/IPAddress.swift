// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// Internet addresses as text.
package enum IPAddress {
    /// Whether it is an address of version 4 or 6, as inet_pton(3) reads it: no name, port, prefix or zone.
    package static func isValid(_ text: String) -> Bool {
        var bytes = in6_addr()
        return inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1
    }
}
