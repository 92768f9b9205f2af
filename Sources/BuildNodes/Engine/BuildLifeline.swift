import ContainerEngine
import Foundation
import ImageModel
import SystemPackage

/// A *build lifeline* ends the instructions of a build on a node of podman.
///
/// If the connection of a build is closed, podman goes on with the instruction that runs until it ends.
/// So the instructions get the namespace of process ids of a small container, whose program only waits.
/// When the container is killed, the kernel kills all processes in its namespace. docker ends an
/// instruction itself.
struct BuildLifeline {
    /// The label of the containers. Its value is the step.
    static let label = "vnd.odcs.step"

    /// The name of the image on a node, and its program.
    private static let (image, program) = ("localhost/odcs-lifeline:1", "lifeline")

    private let engine: ContainerEngine
    private let name: String
    /// The namespace of process ids, as a path on the host of the engine.
    let namespace: String

    /// Returns the lifeline of a step, or nil if the node is known to start no containers.
    ///
    /// A container that an earlier attempt at the step has left is ended first, with all that runs in it.
    ///
    /// - Throws: `EngineFailure` if the node does not start the container.
    static func start(for step: ImageTag, on node: EngineNode) async throws(EngineFailure) -> BuildLifeline? {
        // The platform is not known before it was tried.
        guard let platform = node.platform, let program = ProbeProgram.waiting(for: platform) else { return nil }
        let (engine, name) = (node.engine, "odcs-\(step)")
        let (image, command) = ("\(Self.image)-\(platform.inNames)", ["/\(Self.program)"])
        let labels = [label: step.text]
        let process: Int
        do throws(EngineFailure) {
            process = try await engine.run(image: image, command, named: name, labels: labels)
        } catch {
            guard error.code == .refused else { throw error }
            // The image is missing on a new node, and the name is taken if a worker was killed.
            try await engine.removeContainer(name)
            if try await engine.image(named: image) == nil { try await build(program, named: image, on: node, platform) }
            do throws(EngineFailure) {
                process = try await engine.run(image: image, command, named: name, labels: labels)
            } catch {
                // It may be there, although it did not start.
                try await engine.removeContainer(name)
                throw error
            }
        }
        return BuildLifeline(engine: engine, name: name, namespace: "/proc/\(process)/ns/pid")
    }

    /// Ends all processes in the namespace, even if the task is canceled.
    func end() async {
        // At worst the next sweep of the node ends them.
        _ = await Task { [engine, name] in try? await engine.removeContainer(name, within: .seconds(10)) }.value
    }

    private static func build(
        _ program: ProbeProgram, named image: String, on node: EngineNode, _ platform: Platform
    ) async throws(EngineFailure) {
        let scratch = node.settings.scratch
        let (folder, file) = (scratch.appending("lifeline-\(UUID().uuidString)"), scratch.appending("lifeline-\(UUID().uuidString).tar"))
        // At worst the next start of the worker removes them.
        defer { for path in [folder, file] { try? FileManager.default.removeItem(atPath: path.string) } }
        let containerfile = ".odcs-containerfile"
        do {
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: false)
            let path = folder.appending(self.program).string
            try Data(program.bytes).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
            try ContextTar(
                folder, containerfile: "FROM scratch\nCOPY \(self.program) /\n", named: containerfile, isForPodman: true
            ).write(to: file)
        } catch {
            throw EngineFailure(.refused, "The worker cannot write the program to its disk.")
        }
        let request = EngineBuild(name: image, platform: platform, containerfile: containerfile, network: BuildNetwork.none.rawValue)
        try await node.engine.build(request, context: FilePieces(file: file)) { _ in }
    }
}
