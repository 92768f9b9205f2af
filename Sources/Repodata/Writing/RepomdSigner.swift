public import Compression
import Subprocess
public import SystemPackage

/// Signs repomd.xml with a gpg key, so that `repo_gpgcheck` of dnf can verify the repository.
///
/// gpg runs as a child process. Its agent holds the secret key, and this service never sees the key.
public struct RepomdSigner: Hashable, Sendable {
    /// The key, in a form that gpg's `--local-user` accepts: key id, fingerprint or user id.
    public let key: String
    /// gpg's home directory. `nil` means that of the user.
    public let home: FilePath?
    /// The program, which is searched in PATH.
    public let program: String

    public init(key: String, home: FilePath? = nil, program: String = "gpg") {
        self.key = key
        self.home = home
        self.program = program
    }

    /// Writes two files beside `repodata/repomd.xml`: `repomd.xml.asc`, a detached armored signature, and
    /// `repomd.xml.key`, the public key.
    ///
    /// Throws `.signing` if gpg cannot sign. The message has the key and gpg's own message.
    public func sign(_ repodata: FilePath) async throws(RepodataError) {
        let repomd = repodata.appending("repomd.xml")
        let signature = try await gpg(["--detach-sign", "--armor", "--local-user", key, "--output", "-", repomd.string])
        let publicKey = try await gpg(["--export", "--armor", key])
        guard !publicKey.isEmpty else { throw RepodataError(.signing, "gpg has no public key \(key)") }
        try AtomicFile.write(Array(publicKey.utf8), to: repodata.appending("repomd.xml.key"))
        try AtomicFile.write(Array(signature.utf8), to: repodata.appending("repomd.xml.asc"))
    }

    /// Runs gpg and returns its output.
    private func gpg(_ arguments: [String]) async throws(RepodataError) -> String {
        var all = ["--batch", "--no-tty", "--yes"]
        if let home { all += ["--homedir", home.string] }
        do {
            let result = try await run(
                .name(program), arguments: Arguments(all + arguments), environment: .inherit.updating(["LC_ALL": "C"]),
                output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            guard result.terminationStatus.isSuccess else {
                // The last line is the summary. The lines with paths of this host come before it.
                let complaint = result.standardError.split(separator: "\n").last { $0.hasPrefix("gpg:") && !$0.contains("/") }
                throw RepodataError(
                    .signing,
                    "repomd.xml could not be signed with the key \(key); \(complaint ?? "gpg gave no reason (\(result.terminationStatus))")"
                )
            }
            return result.standardOutput
        } catch let error as RepodataError {
            throw error
        } catch {
            throw RepodataError(.signing, "repomd.xml could not be signed with the key \(key): \(program) could not be run (\(error))")
        }
    }
}
