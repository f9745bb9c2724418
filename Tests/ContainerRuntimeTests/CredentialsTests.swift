// SPDX-License-Identifier: Apache-2.0
import System
import Testing

struct CredentialsTests {
    /// The kernel takes it for "as before" and reports success.
    @Test func theHighestNumberIsNobodysUserOrGroup() {
        #expect(throws: SystemError.self) { try Credentials.setUser(.max) }
        #expect(throws: SystemError.self) { try Credentials.setGroup(.max) }
        #expect(throws: SystemError.self) { try Credentials.setGroups([0, .max]) }
    }
}
