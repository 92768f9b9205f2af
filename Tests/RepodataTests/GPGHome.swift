import Foundation
import SystemPackage

/// A home directory of gpg with one key that is good for signing; `close` ends its agent.
struct GPGHome {
    // gpg's sockets are in it, and their paths may have 107 bytes at most.
    private let directory: TemporaryDirectory
    /// 16 hexadecimal digits.
    let keyID: String

    var path: FilePath { directory.path }

    init() async throws {
        directory = try TemporaryDirectory()
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path.string)
        let home = ["--homedir", directory.path.string, "--batch"]
        try await Tool.run(["gpg"] + home + ["--passphrase", "", "--quick-gen-key", "Test <test@example.com>", "rsa2048", "sign", "never"])
        let keys = try await Tool.run(["gpg"] + home + ["--with-colons", "--list-secret-keys"])
        keyID = keys.output.split(separator: "\n").first { $0.hasPrefix("sec:") }!.split(separator: ":", omittingEmptySubsequences: false)[
            4
        ]
        .lowercased()
    }

    func close() async throws {
        try await Tool.run("gpgconf", "--homedir", path.string, "--kill", "gpg-agent")
    }
}
