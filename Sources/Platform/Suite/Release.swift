// SPDX-License-Identifier: Apache-2.0

/// This release of Petrel.
package enum Release {
    package static let version = "0.1.0"
}
