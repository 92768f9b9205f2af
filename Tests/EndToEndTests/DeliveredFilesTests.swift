import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// How package files come into composes, with workers of other users.
@Suite(.timeLimit(.minutes(5))) struct DeliveredFilesTests {
    private static var isProtected: Bool {
        FileManager.default.contents(atPath: "/proc/sys/fs/protected_hardlinks")?.first == UInt8(ascii: "1")
    }

    /// Writes a program that runs odcs-server as the user nobody.
    ///
    /// - Parameter capability: A capability that it gets, or `nil` for none.
    private static func program(in directory: FilePath, _ capability: String?) throws -> String {
        let capabilities = capability.map { "--inh-caps=+\($0) --ambient-caps=+\($0)" } ?? ""
        let script = """
            #!/bin/sh
            exec setpriv --reuid=65534 --regid=65534 --clear-groups \(capabilities) "\(Program.own("odcs-server"))" "$@"

            """
        let path = directory.appending("as-nobody").string
        try Data(script.utf8).write(to: URL(filePath: path))
        chmod(path, 0o755)
        return path
    }

    private static func counts(_ server: ServerProcess) async throws -> [String: Int] {
        let text = try await server.http(.GET, "/api/1/metrics/").text
        let found = text.matches(of: #/odcs_delivered_files_total\{method="([a-z]+)"\} ([0-9]+)/#)
        return Dictionary(uniqueKeysWithValues: found.map { (String($0.1), Int($0.2) ?? 0) })
    }

    /// Makes a compose with a service of the user nobody, and returns the counts and what the service says.
    private static func compose(_ capability: String?) async throws -> (counts: [String: Int], log: String, source: String) {
        // Root owns the packages, on the file system of the service.
        let sources = try TemporaryDirectory()
        defer { sources.remove() }
        let repository = try RepositoryCopy(in: sources.path)
        // The user nobody cannot enter the directory of the tests' database, so the service has its own.
        let state = try TemporaryDirectory()
        defer { state.remove() }
        chown(state.path.string, 65534, 65534)
        let configuration = state.path.appending("odcs-server.yaml")
        let text = "state_directory: \(state.path)\nfrontend: {port: 0}\nsources: {allowed_roots: [\"\(sources.path)\"]}\n"
        try Data(text.utf8).write(to: URL(filePath: configuration.string))
        let program = try program(in: state.path, capability)
        return try await ServerProcess.with(configuration: configuration, program: program) { server in
            let compose = try await server.compose("repo", repository.location, "ed")
            #expect(compose.stateName == "done", "\(compose.stateReason ?? "")")
            // The counts are recorded right after the end of the compose.
            while true {
                let counts = try await counts(server)
                if counts.values.contains(where: { $0 > 0 }) { return (counts, server.logged, sources.path.string) }
                _ = try await server.http(.GET, "/api/1/composes/\(compose.id)?wait=1&while=done")
            }
        }
    }

    @Test(
        "a worker that does not own the packages copies them, counts the copies, and names the directory and the reason at its start",
        .enabled(if: geteuid() == 0, "needs root to become another user"), .enabled(if: isProtected, "fs.protected_hardlinks is 0 here"))
    func otherUser() async throws {
        let (counts, log, source) = try await Self.compose(nil)
        #expect(counts["hardlink"] == 0 && (counts["copy"] ?? 0) + (counts["reflink"] ?? 0) > 0, "\(counts)")
        #expect(log.contains("Packages from \(source) are copied, not hard-linked: fs.protected_hardlinks lets the user nobody"))
    }

    @Test(
        "with the capability CAP_FOWNER the same worker links them, counts the links, and warns of nothing",
        .enabled(if: geteuid() == 0, "needs root to become another user"))
    func owner() async throws {
        let (counts, log, _) = try await Self.compose("fowner")
        #expect((counts["hardlink"] ?? 0) > 0 && counts["copy"] == 0, "\(counts)")
        #expect(!log.contains("fs.protected_hardlinks"))
    }
}
