import Processes
import Synchronization
import Testing

@testable import BuildNodes

@Suite("The user namespace of builds", .timeLimit(.minutes(5)))
struct UserNamespaceTests {
    @Test("unshare makes the same namespace as buildah: equal numbers, groups and rights")
    func equalNamespaces() async throws {
        try await BuildWorld.run { world in
            var storage = world.node.buildah.storage
            guard let namespace = UserNamespace(of: storage.account.account) else { return }
            storage.namespace = namespace
            let made = try await look(storage)
            storage.namespace = .byBuildah
            #expect(try await look(storage) == made)
            #expect(made.contains("CapEff"))
        }
    }

    /// Returns what a program sees of the namespace.
    private func look(_ storage: BuildStorage) async throws -> String {
        let work = try storage.makeWorkDirectory()
        let process = ChildProcess(
            program: "sh",
            arguments: ["-c", "id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep ^Cap /proc/self/status"],
            environment: storage.environment(in: work), directory: work,
            lifeline: Lifeline(entry: storage.account.entry + storage.namespace.entry))
        let output = Mutex("")
        let ending = try await process.run { bytes in output.withLock { $0 += String(decoding: bytes, as: UTF8.self) } }
        #expect(ending == .exited(0))
        return output.withLock { $0 }
    }
}
