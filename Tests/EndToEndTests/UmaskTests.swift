import ComposeModel
import Foundation
import Glibc
import SystemPackage
import Testing

/// The modes of what a service makes that starts under a strict umask, as hardened hosts have it.
@Suite(.timeLimit(.minutes(3))) struct UmaskTests {
    @Test(
        "under umask 077 and 027 the service starts with a database of its own, and everybody can read its composes",
        arguments: ["077", "027"])
    func readable(umask: String) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        chmod(directory.path.string, 0o755)
        let source = directory.path.appending("source")
        try FileManager.default.copyItem(atPath: Checkout.testsRepo.string, toPath: source.string)
        let closed = source.appending("Packages/ed-1.20-3.x86_64.rpm")
        chmod(closed.string, 0o640)
        let configuration = directory.path.appending("odcs-server.yaml")
        // Directories that are not there yet, below one that is not there either.
        let state = directory.path.appending("new/state")
        let text = """
            state_directory: "\(state)"
            frontend: {port: 0}
            sources: {allowed_roots: ["\(source)"]}

            """
        try Data(text.utf8).write(to: URL(filePath: configuration.string))
        try await ServerProcess.with(configuration: configuration, umask: umask) { server in
            let compose = try await server.compose("repo", source.string, "ed")
            #expect(compose.stateName == "done", "\(compose)")
            let composes = state.appending("composes")
            let unreadable = try Self.paths(below: composes).filter { path in
                let mode = try composes.appending(path).stat(followTargetSymlink: false).rawValue.st_mode
                let bits: mode_t = mode & S_IFMT == S_IFDIR ? 0o005 : 0o004
                return mode & S_IFMT != S_IFLNK && mode & bits != bits
            }
            #expect(unreadable == [])
            #expect(try Self.paths(below: composes).contains { $0.hasSuffix("/ed-1.20-3.x86_64.rpm") })
            // A directory is entered through all that are above it.
            for above in [directory.path.appending("new"), state, composes] {
                #expect(try above.stat().rawValue.st_mode & 0o001 != 0, "\(above)")
            }
        }
    }

    private static func paths(below directory: FilePath) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: directory.string)
    }
}
