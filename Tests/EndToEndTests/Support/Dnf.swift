import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage

/// Debian's dnf with nothing of this host's: its repositories, cache, log and packages are all below one directory.
struct Dnf {
    private let directory: TemporaryDirectory
    /// The `.repo` files that it reads.
    private var repositories: FilePath { directory.path.appending("repos") }
    /// The directory that it installs into.
    var root: FilePath { directory.path.appending("root") }

    static func with<R>(_ body: (Dnf) async throws -> R) async throws -> R {
        let dnf = Dnf(directory: try TemporaryDirectory())
        defer { dnf.directory.remove() }
        for path in [dnf.repositories, dnf.root, dnf.directory.path.appending("log")] {
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
        }
        return try await body(dnf)
    }

    /// Adds the `.repo` file of a compose, as the service gives it out.
    func add(_ compose: FinishedCompose, by server: ServerProcess) async throws {
        let answer = try await server.http(.GET, compose.document.resultRepofile)
        try answer.body.write(to: URL(filePath: repositories.appending("\(compose.layout.directory).repo").string))
    }

    /// Runs dnf on the x86_64 that its answers are about, whatever machine it runs on.
    func run(_ arguments: String...) async throws -> Program { try await run(arguments) }

    func run(_ arguments: [String]) async throws -> Program {
        try await Program.run(
            [
                "dnf", "--setopt=reposdir=\(repositories)", "--setopt=cachedir=\(directory.path)/cache",
                "--setopt=logdir=\(directory.path)/log",
                "--installroot=\(root)", "--forcearch=x86_64", "--releasever=1", "--noplugins", "--assumeyes", "--quiet",
            ] + arguments)
    }

    /// Everything in a repository that dnf knows by the name `id`, as `ed-1.20-3.x86_64`, sorted; and what dnf complains of.
    func packages(in id: String, _ arguments: String...) async throws -> (packages: [String], complaints: String) {
        let program = try await run(arguments + ["--repo=\(id)", "repoquery", "--qf", "%{name}-%{version}-%{release}.%{arch}"])
        guard program.isSuccess else { throw program }
        return (program.output.split(separator: "\n").map(String.init).sorted(), program.complaints)
    }
}
