import Foundation
import Testing

@testable import ServiceConfiguration

/// A configuration file that cannot be read.
@Suite struct UnreadableFileTests {
    @Test("a file that is missing, a file of another user and anything else are told apart")
    func reasons() throws {
        let missing = #expect(throws: ConfigurationError.self) { try ConfigurationReader(path: "/nowhere/odcs.yaml", environment: [:]) }
        #expect(missing?.description == "/nowhere/odcs.yaml: there is no such file")
        let directory = #expect(throws: ConfigurationError.self) { try ConfigurationReader(path: "/", environment: [:]) }
        #expect(directory?.description == "/: it cannot be read")
        // Tests may run as root, who may read every file.
        #expect(ConfigurationReader.reason(CocoaError(.fileReadNoPermission)).hasPrefix("this user may not read it; "))
    }
}
