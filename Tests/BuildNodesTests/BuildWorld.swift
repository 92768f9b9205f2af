import BuildNodes
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import Logging
import Processes
import Subprocess
import Synchronization
import SystemPackage
import Testing

/// A local node with storage of its own, and the registry that all tests share, which has the image
/// `base:1`.
struct BuildWorld {
    let directory: FilePath
    let node: LocalNode
    let registry: TestRegistry

    private static let registry = Task {
        let registry = try await TestRegistry.start()
        try await run(registry) { world in
            let context = try world.makeDirectory("root")
            try await SmallImages.makeContext(in: context)
            let step = try ImageTag("base")
            _ = try await world.node.build(
                BuildSpecification(step: step, platform: .host, containerfile: SmallImages.containerfile, context: context)
            ) { _ in }
            _ = try await world.node.push(step, to: world.target("base:1")) { _ in }
        }
        return registry
    }

    /// Runs a test with a node of its own, on the given disk if there is one.
    static func run<Result: Sendable>(on disk: FilePath? = nil, _ test: @Sendable (BuildWorld) async throws -> Result) async throws
        -> Result
    {
        try await run(registry.value, on: disk, test)
    }

    private static func run<Result: Sendable>(
        _ registry: TestRegistry, on disk: FilePath? = nil, _ test: @Sendable (BuildWorld) async throws -> Result
    ) async throws -> Result {
        let directory = try makeDirectory()
        let world = BuildWorld(
            directory: directory, node: try await openNode(disk ?? directory.appending("node"), registry.host), registry: registry)
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await test(world)) } catch { result = .failure(error) }
        // Files may belong to subordinate numbers of this user.
        let remover: [String] = geteuid() == 0 ? [] : ["buildah", "unshare", "--"]
        let command = remover + ["rm", "-rf", directory.string]
        _ = try await Subprocess.run(.name(command[0]), arguments: Arguments(Array(command.dropFirst())), output: .discarded)
        return try result.get()
    }

    static func openNode(_ directory: FilePath, _ host: RegistryHost) async throws -> LocalNode {
        try await BuildTestAccount.prepare()
        return try await LocalNode.open(directory, account: BuildAccount(), insecure: [host], logger: Logger(label: "test"))
    }

    /// Makes a directory that the build account can enter.
    static func makeDirectory() throws -> FilePath {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-build-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        chmod(directory.string, 0o755)
        return directory
    }

    func makeDirectory(_ name: String, files: [String: String] = [:]) throws -> FilePath {
        let directory = directory.appending(name)
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        for (name, text) in files { try text.write(toFile: directory.appending(name).string, atomically: true, encoding: .utf8) }
        return directory
    }

    func target(_ text: String) throws -> PushTarget {
        let reference = try ImageReference("\(registry.host)/\(text)")
        return PushTarget(reference.repository, tag: try #require(reference.tag))
    }

    /// Returns a specification of an image that is based on `base:1`.
    func specification(_ instructions: String, step: String = "step-1", limits: BuildLimits = BuildLimits()) throws -> BuildSpecification {
        BuildSpecification(
            step: try ImageTag(step), platform: .host, containerfile: "FROM \(registry.host)/base:1\n\(instructions)\n",
            context: try makeDirectory("context"), limits: limits)
    }

    /// Builds an image and returns the lines of its log.
    func build(_ specification: BuildSpecification) async throws -> [String] {
        let lines = LineLog()
        _ = try await node.build(specification) { lines.append($0) }
        return lines.all
    }

    /// Returns the failure of a build.
    func failure(of specification: BuildSpecification) async throws -> NodeFailure {
        try #require(await #expect(throws: NodeFailure.self) { try await node.build(specification) { _ in } })
    }

    /// Returns the lines of `tar --list --verbose` for each layer of an image.
    func layers(of target: PushTarget) async throws -> [[String]] {
        let image = directory.appending("image")
        let copy = try await Subprocess.run(
            .name("skopeo"), arguments: ["copy", "--quiet", "--src-tls-verify=false", "docker://\(target)", "dir:\(image)"],
            output: .discarded)
        #expect(copy.terminationStatus.isSuccess)
        let manifest = try JSONDecoder().decode(
            LayerList.self, from: Data(contentsOf: URL(filePath: image.appending("manifest.json").string)))
        var layers: [[String]] = []
        for layer in manifest.layers {
            let list = try await Subprocess.run(
                .name("tar"),
                arguments: ["--list", "--verbose", "--numeric-owner", "--file", image.appending(String(layer.digest.dropFirst(7))).string],
                output: .string(limit: 1 << 24))
            layers.append(list.standardOutput.split(separator: "\n").map(String.init))
        }
        return layers
    }

    private struct LayerList: Decodable {
        struct Layer: Decodable { let digest: String }
        let layers: [Layer]
    }
}

/// The lines of a log, in their order.
final class LineLog: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock(\.self) }
}
