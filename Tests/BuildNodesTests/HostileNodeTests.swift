import BuildNodes
import ContainerEngine
import Foundation
import ImageModel
import ImageTestKit
import SystemPackage
import Testing

/// Nodes whose engine is broken or hostile.
@Suite(.timeLimit(.minutes(10))) struct HostileNodeTests {
    private typealias Answer = ScriptedRegistry.Answer

    /// Runs `body` with an engine that answers to the first ping, and to everything else as `script` says.
    private static func with(
        leastFreeBytes: Int = 0, delivery: FarmNode.Delivery = .push, login: EngineLogin? = nil,
        script: @escaping @Sendable (ScriptedRegistry.Request) -> Answer,
        _ body: @escaping @Sendable (_ engine: ScriptedRegistry, _ work: @escaping Work) async throws -> Void
    ) async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-hostile-\(UUID().uuidString.prefix(8))")
        let context = directory.appending("context")
        try FileManager.default.createDirectory(atPath: context.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        let socket = directory.appending("engine.sock")
        try await ScriptedRegistry.with(socket: socket) { engine in
            engine.answer { request in
                if request.uri.hasSuffix("/_ping"), request.number == 1 {
                    return Answer(200, [("Server", "Libpod/4.3.1 (linux)")], text: "OK")
                }
                return script(request)
            }
            var settings = EngineNode.Settings(
                scratch: directory, login: { _ in login }, upload: { _, _ in throw NodeFailure(.node, "It is uploaded.") })
            settings.pulse = .milliseconds(200)
            settings.leastFreeBytes = leastFreeBytes
            var node = FarmNode(name: "n1", connection: .unix(path: socket.string))
            node.delivery = delivery
            let (connections, prepared) = (EngineConnections(keys: nil, settings: settings), node)
            try await body(engine) { work in
                try await connections.with(prepared) { try await work($0, context) }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.string).sorted() == ["context", "engine.sock"])
        }
    }

    private typealias Work = @Sendable (@escaping @Sendable (EngineNode, FilePath) async throws -> Void) async throws -> Void

    /// Returns the failure of a build.
    private static func failure(_ answer: Answer, isAlive: Bool = true) async throws -> NodeFailure {
        let found = try await withFailure { keep in
            try await with(script: { request in
                if request.uri.contains("/_ping") { return isAlive ? Answer(200, text: "OK") : Answer(200, [], .stalled([])) }
                return answer
            }) { _, work in
                let failure = await #expect(throws: NodeFailure.self) {
                    try await work { node, context in
                        let specification = BuildSpecification(
                            step: try ImageTag("step-1-1"), platform: .host, containerfile: "FROM scratch\n", context: context)
                        _ = try await node.build(specification) { _ in }
                    }
                }
                keep(failure)
            }
        }
        return try #require(found)
    }

    private static func withFailure(_ body: (_ keep: @escaping @Sendable (NodeFailure?) -> Void) async throws -> Void) async throws
        -> NodeFailure?
    {
        let (failures, keep) = AsyncStream.makeStream(of: NodeFailure?.self)
        try await body { keep.yield($0) }
        keep.finish()
        for await failure in failures { return failure }
        return nil
    }

    @Test("a node that ends its answer early is lost, whether it closes the connection or not")
    func early() async throws {
        let line = #"{"stream": "STEP 1/2: FROM scratch\n"}"# + "\n"
        let clean = try await Self.failure(Answer(200, text: line))
        #expect(clean.sentence == "The node n1 was lost during the build, in step 1/2, FROM scratch.")
        let cut = try await Self.failure(Answer(200, [], .cut(Array(line.utf8), announced: "4096")))
        #expect(cut.kind == .nodeLost)
    }

    @Test("a node that hangs in the middle of an answer is lost")
    func hangs() async throws {
        let failure = try await Self.failure(Answer(200, [], .stalled(Array("{".utf8))), isAlive: false)
        #expect(failure.sentence == "The node n1 does not answer any more.")
    }

    @Test("a node that hangs during a push or at a look is lost")
    func hangsElsewhere() async throws {
        try await Self.with(script: { _ in Answer(200, [], .stalled(Array("{".utf8))) }) { _, work in
            let target = PushTarget(try ImageReference("registry.example/app").repository, tag: try ImageTag("1"))
            for body in [
                { (node: EngineNode) in _ = try await node.push(try ImageTag("step-1-1"), to: target) { _ in } },
                { (node: EngineNode) in _ = try await node.image(of: try ImageTag("step-1-1")) },
                { (node: EngineNode) in _ = try await node.prune(PruneRequest(), leased: { [] }) },
            ] as [@Sendable (EngineNode) async throws -> Void] {
                let failure = await #expect(throws: NodeFailure.self) { try await work { node, _ in try await body(node) } }
                #expect(failure?.sentence == "The node n1 does not answer any more.")
            }
        }
    }

    @Test("a node without space says so, in a status or in a line of its answer")
    func full() async throws {
        let text = "writing blob: write /var/tmp/x: no space left on device"
        let status = try await Self.failure(Answer(500, text: #"{"message": "\#(text)"}"#))
        #expect(status.kind == .diskFull, "\(status.sentence)")
        let line = try await Self.failure(Answer(200, text: #"{"error": "\#(text)"}"#))
        #expect(line.kind == .diskFull, "\(line.sentence)")
        #expect(line.isOfNode)
    }

    @Test("a line without an end and an answer that is no JSON are failures of the node")
    func garbage() async throws {
        let endless = try await Self.failure(Answer(200, [], .endless([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16))))
        #expect(endless.sentence.contains("sends a line of more than 1048576 bytes"), "\(endless.sentence)")
        #expect(endless.isOfNode)
        let text = try await Self.failure(Answer(200, text: "no JSON\n"))
        #expect(text.kind == .nodeLost)
        let odd = try await Self.failure(Answer(302, [("location", "http://127.0.0.1:9/")]))
        #expect(odd.sentence.contains("with the status 302, cannot be read"), "\(odd.sentence)")
        #expect(odd.isOfNode)
    }

    @Test("a login reaches the engine in the base64 of URLs")
    func login() async throws {
        let login = EngineLogin(username: "a", password: "\u{3E}?~~~\u{FF}>>>???")
        try await Self.with(login: login, script: { _ in Answer(500, text: "{}") }) { engine, work in
            let repository = try ImageReference("registry.example/app").repository
            try await work { node, context in
                var specification = BuildSpecification(
                    step: try ImageTag("step-1-1"), platform: .host, containerfile: "FROM scratch\n", context: context)
                specification.repositories = [repository]
                let prepared = specification
                await #expect(throws: NodeFailure.self) { _ = try await node.build(prepared) { _ in } }
            }
            let request = try #require(engine.requests.last { $0.method == "POST" })
            let header = try #require(request.headers["x-registry-config"])
            #expect(header.contains("-") || header.contains("_"))
            let plain = header.replacing("-", with: "+").replacing("_", with: "/")
            let found = try JSONDecoder().decode([String: [String: String]].self, from: try #require(Data(base64Encoded: plain)))
            #expect(found == ["registry.example/app": ["username": login.username, "password": login.password]])
        }
    }

    @Test("a node that says it has built the image, and does not have it, has failed")
    func nothing() async throws {
        try await Self.with(script: { request in
            request.method == "POST" ? Answer(200, text: #"{"stream": "Successfully built abc\n"}"#) : Answer(404, text: "{}")
        }) { _, work in
            let failure = await #expect(throws: NodeFailure.self) {
                try await work { node, context in
                    _ = try await node.build(
                        BuildSpecification(
                            step: try ImageTag("step-1-1"), platform: .host, containerfile: "FROM scratch\n", context: context)
                    ) { _ in }
                }
            }
            #expect(failure?.sentence == "The node n1 says that it has built the image, and does not have it.")
            #expect(failure?.isOfNode == true)
        }
    }

    /// A specification that needs a folder with a file of a megabyte.
    private static func specification(
        _ step: String, in context: FilePath, limits: BuildLimits = BuildLimits()
    ) throws -> BuildSpecification {
        let folder = context.appending("folder")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        let package = folder.appending("package").string
        // Another time would be another file.
        if !FileManager.default.fileExists(atPath: package) { try Data(count: 1 << 20).write(to: URL(filePath: package)) }
        var specification = BuildSpecification(
            step: try ImageTag(step), platform: .host, containerfile: "FROM scratch\n", context: context, limits: limits)
        specification.namedContexts = ["odcs": folder]
        return specification
    }

    /// The name of an image with files, as the parameter of a request.
    private static let filesName = "t=localhost%2Fodcs-files"
    private static let ping = Answer(200, [("Server", "Libpod/4.3.1 (linux)")], text: "OK")
    private static let built = Answer(200, text: #"{"stream": "Successfully built abc\n"}"#)

    @Test("files are not sent to a node without room for them, nor copied to a full disk of the worker")
    func noRoom() async throws {
        for (least, free) in [(0, 1 << 20), (Int.max, 1 << 40)] {
            try await Self.with(
                leastFreeBytes: least,
                script: { request in
                    if request.uri.hasSuffix("/_ping") { return Self.ping }
                    let store = #""store": {"graphRootAllocated": \#(free), "graphRootUsed": 0}"#
                    return request.uri.hasSuffix("/info") ? Answer(200, text: "{\"host\": {}, \(store)}") : Answer(404, text: "{}")
                }
            ) { engine, work in
                let failure = await #expect(throws: NodeFailure.self) {
                    try await work { node, context in
                        _ = try await node.build(try Self.specification("step-1-1", in: context)) { _ in }
                    }
                }
                #expect(failure?.kind == .diskFull)
                let sentence = failure?.sentence ?? ""
                #expect(sentence.hasPrefix("The build needs 1 MB of packages of composes. "), "\(sentence)")
                let reason =
                    least == 0
                    ? "The node n1 needs twice that space to take them, and has 1 MB."
                    : "The disk of the worker has no room "
                #expect(sentence.contains(reason), "\(sentence)")
                #expect(engine.requests.allSatisfy { $0.method != "POST" })
            }
        }
    }

    @Test("a transfer of files that hangs ends with the time limit of the build")
    func slowTransfer() async throws {
        try await Self.with(script: { request in
            if request.uri.hasSuffix("/_ping") { return Self.ping }
            return request.method == "POST" ? Answer(200, [], .stalled([])) : Answer(404, text: "{}")
        }) { _, work in
            let failure = await #expect(throws: NodeFailure.self) {
                try await work { node, context in
                    let limits = BuildLimits(time: .seconds(1))
                    _ = try await node.build(try Self.specification("step-1-1", in: context, limits: limits)) { _ in }
                }
            }
            #expect(failure?.kind == .timeLimit)
            #expect(failure?.sentence == "The build exceeded its time limit of 1 seconds while its files were sent to the node n1.")
        }
    }

    @Test("if the build that sends files is canceled, another one that waits for them sends them")
    func canceledTransfer() async throws {
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        try await Self.with(script: { request in
            if request.uri.hasSuffix("/_ping") { return Self.ping }
            guard request.method == "POST", request.uri.contains("/build?") else {
                let image = Answer(200, text: #"{"Id": "\#(ImageDigest(of: []))"}"#)
                return request.uri.contains("odcs-step") ? image : Answer(404, text: "{}")
            }
            guard request.uri.contains(Self.filesName), request.number == 1 else { return Self.built }
            begin.yield()
            return Answer(200, [], .stalled([]))
        }) { engine, work in
            func build(_ step: String) -> Task<Void, any Error> {
                Task { try await work { node, context in _ = try await node.build(try Self.specification(step, in: context)) { _ in } } }
            }
            let first = build("step-1-1")
            for await _ in begun { break }
            let second = build("step-2-1")
            first.cancel()
            await #expect(throws: CancellationError.self) { try await first.value }
            try await second.value
            #expect(engine.requests.count { $0.method == "POST" && $0.uri.contains(Self.filesName) } == 2)
        }
    }

    @Test("an image without an end does not fill the disk of the worker")
    func endlessImage() async throws {
        try await Self.with(
            leastFreeBytes: .max, delivery: .pull,
            script: { request in
                if request.uri.contains("/_ping") { return Answer(200, text: "OK") }
                return Answer(200, [], .endless([UInt8](repeating: 0, count: 1 << 20)))
            }
        ) { _, work in
            let target = PushTarget(try ImageReference("registry.example/app").repository, tag: try ImageTag("1"))
            let failure = await #expect(throws: NodeFailure.self) {
                try await work { node, _ in _ = try await node.push(try ImageTag("step-1-1"), to: target) { _ in } }
            }
            #expect(failure?.sentence == "The disk of the worker has no room for the image that the node sends.")
        }
    }
}
