import Subprocess
public import SystemPackage

/// Signs repomd.xml with a gpg key, so that `repo_gpgcheck` of dnf can verify the repository.
///
/// gpg runs as a child process: its agent holds the secret key, this service never sees it.
public struct RepomdSigner: Hashable, Sendable {
    /// What gpg's `--local-user` takes: key id, fingerprint or user id.
    public let key: String
    /// gpg's home directory; that of the user when `nil`.
    public let home: FilePath?
    /// The program, looked for in PATH.
    public let program: String

    public init(key: String, home: FilePath? = nil, program: String = "gpg") {
        self.key = key
        self.home = home
        self.program = program
    }

    /// Writes `repomd.xml.asc`, a detached armoured signature, and `repomd.xml.key`, the public key, beside `repodata/repomd.xml`.
    ///
    /// Throws `.signing` with the key and what gpg says when it cannot.
    public func sign(_ repodata: FilePath) async throws(RepodataError) {
        let repomd = repodata.appending("repomd.xml")
        let signature = try await gpg(["--detach-sign", "--armor", "--local-user", key, "--output", "-", repomd.string])
        let publicKey = try await gpg(["--export", "--armor", key])
        guard !publicKey.isEmpty else { throw RepodataError(.signing, "gpg has no public key \(key)") }
        try AtomicFile.write(Array(publicKey.utf8), to: repodata.appending("repomd.xml.key"))
        try AtomicFile.write(Array(signature.utf8), to: repodata.appending("repomd.xml.asc"))
    }

    /// Runs gpg and returns what it prints.
    private func gpg(_ arguments: [String]) async throws(RepodataError) -> String {
        var all = ["--batch", "--no-tty", "--yes"]
        if let home { all += ["--homedir", home.string] }
        do {
            let result = try await run(
                .name(program), arguments: Arguments(all + arguments), environment: .inherit.updating(["LC_ALL": "C"]),
                output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            guard result.terminationStatus.isSuccess else {
                // Its last line is the summary; those that show paths of this host come before.
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
