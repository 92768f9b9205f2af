import Foundation
import SystemPackage

/// A GnuPG key of one test, in a home directory of its own.
struct SigningKey: Sendable {
    let home: FilePath
    /// The key's id: 16 hexadecimal digits, in upper case.
    let id: String

    static func with<R>(_ body: (SigningKey) async throws -> R) async throws -> R {
        // A short path: the socket of gpg's agent lies below it.
        let directory = try TemporaryDirectory(in: "/tmp")
        defer { directory.remove() }
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: directory.path.string)
        let gpg = ["gpg", "--homedir", directory.path.string, "--batch", "--quiet", "--passphrase", ""]
        let made = try await Program.run(gpg + ["--quick-generate-key", "tests@example.com", "rsa2048", "sign", "never"])
        guard made.isSuccess else { throw made }
        let listed = try await Program.succeed("gpg", "--homedir", directory.path.string, "--list-keys", "--with-colons")
        let fields = listed.output.split(separator: "\n").first { $0.hasPrefix("pub:") }?.split(
            separator: ":", omittingEmptySubsequences: false)
        guard let fields, fields.count > 4 else { throw listed }
        let result: Result<R, any Error>
        do { result = .success(try await body(SigningKey(home: directory.path, id: String(fields[4])))) } catch { result = .failure(error) }
        try await Program.succeed("gpgconf", "--homedir", directory.path.string, "--kill", "all")
        return try result.get()
    }

    /// Signs an RPM file in place.
    func sign(package: FilePath) async throws {
        try await Program.succeed(
            "rpmsign", "--define", "__gpg /usr/bin/gpg", "--define", "_gpg_name \(id)", "--define", "_gpg_path \(home)", "--addsign",
            package.string)
    }
}
