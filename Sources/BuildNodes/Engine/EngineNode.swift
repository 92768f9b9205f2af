public import ContainerEngine
import ForeignText
import Foundation
public import ImageModel
import NIOCore
import NIOPosix
import Processes
public import SystemPackage

/// An *engine node* builds images with an engine of podman or docker, over its API.
///
/// The engine gets a context as a tar. Its answer to a build has the status 200 even if the build
/// fails: a line of the answer has the error. An answer that ends without the last line means that the
/// node is lost. A lifeline ends the instruction that runs if a build is canceled or exceeds a limit.
public struct EngineNode: BuildNode {
    public let name: String
    /// An engine isolates builds as it is configured, which it does not report.
    public var isolation: String { "engine" }
    /// An engine has one directory for all caches.
    public var sharesCaches: Bool { true }
    /// The API of podman before 4.4 has none.
    public var hasVolumes: Bool { false }
    let engine: ContainerEngine
    let settings: Settings
    let memory: NodeMemory

    /// The settings of all nodes of a worker.
    public struct Settings: Sendable {
        /// The directory for contexts before they are sent, and for images that are fetched.
        public var scratch: FilePath
        /// The registries that are spoken to without TLS.
        public var insecure: Set<RegistryHost> = []
        /// Returns the login for a repository.
        public var login: @Sendable (ImageRepository) throws -> EngineLogin?
        /// Uploads the docker-archive of an image to a registry, and returns the digest of its manifest. It is
        /// used for nodes that do not push.
        public var upload: @Sendable (FilePath, PushTarget) async throws -> ImageDigest
        /// The pause between two looks at a node that builds.
        public var pulse: Duration = .seconds(3)
        /// The bytes that stay free on the disk of ``scratch``.
        public var leastFreeBytes = 0

        public init(
            scratch: FilePath, login: @escaping @Sendable (ImageRepository) throws -> EngineLogin? = { _ in nil },
            upload: @escaping @Sendable (FilePath, PushTarget) async throws -> ImageDigest
        ) {
            self.scratch = scratch
            self.login = login
            self.upload = upload
        }
    }

    /// Whether the node pushes images itself.
    private let pushes: Bool
    /// Whether the worker uses a socket of its own host.
    private let isOnThisHost: Bool

    /// The platform of the node itself, or nil before its platforms were tried.
    let platform: Platform?
    /// The engine as the last look has found it, or nil before the first one.
    private let knownEngine: String?

    init(_ node: FarmNode, engine: ContainerEngine, settings: Settings, memory: NodeMemory) {
        name = node.name
        self.engine = engine
        pushes = node.delivery == .push
        isOnThisHost = node.connection.kind == "unix"
        platform = node.native.first
        knownEngine = node.engine
        self.settings = settings
        self.memory = memory
    }

    public func support(for platform: Platform) async throws -> PlatformSupport {
        try await EngineProbe(node: self).support(for: platform)
    }

    public func build(_ specification: BuildSpecification, log: @escaping @Sendable (String) -> Void) async throws -> BuildResult {
        let start = ContinuousClock.now
        let isPodman = try await self.isPodman
        try await check(specification, log: log)
        guard isPodman || specification.namedContexts.isEmpty else {
            throw NodeFailure(.node, "The node \(name) has the engine of docker, which cannot show the packages of composes to a build.")
        }
        let deadline = start + specification.limits.time
        let file = settings.scratch.appending("context-\(UUID().uuidString.lowercased()).tar")
        // At worst the next start of the worker removes it.
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        let contexts = try await prepare(specification, context: file, isPodman: isPodman, until: deadline)
        let lifeline = isPodman && specification.runsPrograms ? try await lifeline(for: specification.step, log) : nil
        let transcript = BuildTranscript(limit: specification.limits.logBytes, log: log)
        let result: Result<ImageDigest?, any Error>
        do {
            var request = EngineBuild(
                name: Self.localName(of: specification.step), platform: specification.platform, containerfile: Self.containerfile,
                network: specification.network.rawValue)
            request.contexts = contexts
            request.processNamespace = lifeline?.namespace
            request.logins = try logins(for: specification, isForPodman: isPodman)
            result = .success(try await run(request, of: specification, context: file, transcript, until: deadline))
        } catch {
            result = .failure(error)
        }
        transcript.finish()
        // A node that is lost would only take time.
        if (result.failure as? NodeFailure)?.kind != .nodeLost { await lifeline?.end() }
        var reported: ImageDigest?
        do { reported = try result.get() } catch let failure as EngineFailure {
            try Task.checkCancellation()
            throw self.failure(failure, of: specification, transcript)
        }
        if reported == nil { reported = try await image(of: specification.step) }
        guard let image = reported else {
            throw NodeFailure(.node, "The node \(name) says that it has built the image, and does not have it.")
        }
        return BuildResult(image: image, elapsed: ContinuousClock.now - start, isConfined: specification.limits.memoryBytes != nil)
    }

    /// Whether the engine is podman, and not docker. The last look at the node has usually found that out.
    private var isPodman: Bool {
        get async throws {
            if let knownEngine { return knownEngine.hasPrefix("podman") }
            return try await version().hasPrefix("podman")
        }
    }

    private static let containerfile = ".odcs-containerfile"

    /// Sends what the build needs besides its context, and writes the context to a file.
    ///
    /// - Returns: The images that stand for build contexts, by the names of the contexts.
    private func prepare(
        _ specification: BuildSpecification, context file: FilePath, isPodman: Bool, until deadline: ContinuousClock.Instant
    ) async throws -> [String: String] {
        try await withThrowingTaskGroup(of: [String: String].self) { group in
            group.addTask {
                let files = NodeFiles(node: self, platform: specification.platform, isForPodman: isPodman)
                var contexts: [String: String] = [:]
                for (name, folder) in specification.namedContexts { contexts[name] = try await files.send(folder) }
                try await NIOThreadPool.singleton.runIfActive {
                    try ContextTar(
                        specification.context, containerfile: specification.containerfile, named: Self.containerfile, isForPodman: isPodman
                    ).write(to: file)
                }
                return contexts
            }
            group.addTask {
                // This task is the clock of the other one.
                try await Task.sleep(until: deadline, clock: .continuous)
                throw NodeFailure(
                    .timeLimit,
                    "The build exceeded its time limit of \(specification.limits.time.components.seconds) seconds while its files were sent to the node \(name)."
                )
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    /// Returns the lifeline of a build. A node that starts no containers builds without one.
    private func lifeline(for step: ImageTag, _ log: @Sendable (String) -> Void) async throws -> BuildLifeline? {
        guard !memory.hasNoContainers(name) else { return nil }
        do {
            return try await whileAlive { try await BuildLifeline.start(for: step, on: self) }
        } catch let error as EngineFailure {
            try Task.checkCancellation()
            guard [.refused, .buildFailed, .badAnswer].contains(error.code) else { throw failure(error) }
            memory.noteThatNoContainerStarts(on: name)
            log("The node \(name) starts no containers, so an instruction cannot be ended early: \(error.description.printable(most: 300))")
            return nil
        }
    }

    public func image(of step: ImageTag) async throws -> ImageDigest? {
        try await asking { () throws(EngineFailure) in try await engine.image(named: Self.localName(of: step))?.id }
    }

    public func push(_ step: ImageTag, to target: PushTarget, log: @escaping @Sendable (String) -> Void) async throws -> ImageDigest {
        guard pushes else { return try await fetch(step, for: target) }
        let repository = target.repository.description
        let login = try settings.login(target.repository)
        let isInsecure = settings.insecure.contains(target.repository.host)
        return try await asking { () throws(EngineFailure) in
            // The image keeps this name until it is removed.
            try await engine.tag(Self.localName(of: step), as: repository, tag: target.tag.text)
            return try await engine.push(repository, tag: target.tag.text, login: login, isInsecure: isInsecure) { text in
                for line in text.split(whereSeparator: \.isNewline) { log(String(line)) }
            }
        }
    }

    /// Removes the image of a step, with the name that it had for its push.
    public func remove(_ step: ImageTag) async throws {
        let own = Self.localName(of: step)
        try await asking { () throws(EngineFailure) in
            let names = try await engine.image(named: own)?.names ?? []
            for name in names where name == own || Self.isOfPush(name) { _ = try await engine.remove(name) }
        }
    }

    /// The name of a step's image on the node.
    static func localName(of step: ImageTag) -> String { "\(localRepository):\(step)" }
    private static let localRepository = "localhost/odcs-step"

    static var localPrefix: String { "\(localRepository):" }

    /// Fetches the image of a step from the node, and uploads it.
    private func fetch(_ step: ImageTag, for target: PushTarget) async throws -> ImageDigest {
        let file = settings.scratch.appending("image-\(UUID().uuidString.lowercased()).tar")
        // At worst the next start of the worker removes it.
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        let archive = try ReceivedArchive(file, leastFreeBytes: settings.leastFreeBytes)
        let result: Result<Void, any Error>
        do {
            try await whileAlive { try await engine.save(Self.localName(of: step)) { try archive.append($0) } }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try archive.close()
        do { try result.get() } catch let failure as EngineFailure { throw self.failure(failure) }
        return try await settings.upload(file, target)
    }

    /// The logins for base images. docker takes one for each registry. Of several, it gets the first.
    private func logins(for specification: BuildSpecification, isForPodman: Bool) throws -> [String: EngineLogin] {
        var logins: [String: EngineLogin] = [:]
        for repository in specification.repositories.sorted(by: { $0.description < $1.description }) {
            guard let login = try settings.login(repository) else { continue }
            let host = repository.host.description
            let key = isForPodman ? repository.description : host == "docker.io" ? "https://index.docker.io/v1/" : host
            if logins[key] == nil { logins[key] = login }
        }
        return logins
    }

    /// Throws if the node lacks what the build needs.
    private func check(_ specification: BuildSpecification, log: @Sendable (String) -> Void) async throws {
        let needs = specification.needs
        guard !needs.isEmpty else { return }
        let room = try await asking { () throws(EngineFailure) in try await engine.room() }
        if needs.diskBytes != nil, room.freeBytes == nil {
            log("The node \(name) does not report its free disk space, so it is not compared.")
        }
        try needs.check(freeBytes: room.freeBytes, memoryBytes: room.memoryBytes, specification.limits, of: name)
    }
}

extension EngineNode {
    private enum Outcome: Sendable {
        case built(ImageDigest?)
        case timeLimit
        case logIsTooLong
        case lost
    }

    /// Builds, while the node is asked again and again whether it is still there.
    ///
    /// - Returns: The id of the image, or `nil` if the engine did not report it.
    private func run(
        _ request: EngineBuild, of specification: BuildSpecification, context: FilePath, _ transcript: BuildTranscript,
        until deadline: ContinuousClock.Instant
    ) async throws -> ImageDigest? {
        var request = request
        request.arguments = specification.arguments
        request.labels = specification.labels
        request.timestamp = specification.timestamp
        request.memoryBytes = specification.limits.memoryBytes
        request.processors = specification.limits.processors
        let build = request
        let outcome = try await withThrowingTaskGroup(of: Outcome.self) { group in
            group.addTask {
                .built(try await engine.build(build, context: FilePieces(file: context)) { transcript.append(Array($0.utf8)) })
            }
            group.addTask {
                // This task is the clock of the build.
                try await Task.sleep(until: deadline, clock: .continuous)
                return .timeLimit
            }
            group.addTask {
                for await _ in transcript.overflow { return .logIsTooLong }
                throw CancellationError()
            }
            group.addTask {
                try await awaitLoss()
                return .lost
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
        let step = transcript.step
        switch outcome {
        case .built(let image): return image
        case .lost:
            throw NodeFailure(.nodeLost, "The node \(name) does not answer any more.", step: step, lastLines: transcript.lastLines())
        case .timeLimit:
            throw NodeFailure(
                .timeLimit,
                "The build exceeded its time limit of \(specification.limits.time.components.seconds) seconds\(step.map { " in \($0)" } ?? "").",
                step: step, lastLines: transcript.lastLines())
        case .logIsTooLong:
            throw NodeFailure(
                .logLimit, "The build printed more than \(specification.limits.logBytes) bytes, and was ended.", step: step,
                lastLines: transcript.lastLines())
        }
    }

    /// Returns when the node has not answered twice. A build can be silent for long, so the stream of the
    /// build says nothing.
    private func awaitLoss() async throws {
        var misses = 0
        while misses < 2 {
            // The node reports nothing by itself, so it is asked regularly.
            try await Task.sleep(for: settings.pulse)
            do throws(EngineFailure) {
                try await engine.ping(within: settings.pulse)
                misses = 0
            } catch {
                try Task.checkCancellation()
                misses += 1
            }
        }
    }

    /// Asks the engine, and translates its failure.
    func asking<Value: Sendable>(_ body: @escaping @Sendable () async throws(EngineFailure) -> Value) async throws -> Value {
        do {
            return try await whileAlive(body)
        } catch let failure as EngineFailure {
            try Task.checkCancellation()
            throw self.failure(failure)
        }
    }

    /// Runs `body`, while the node is asked again and again whether it is still there.
    private func whileAlive<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await awaitLoss()
                throw NodeFailure(.nodeLost, "The node \(name) does not answer any more.")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }

    /// Returns the failure of anything but a build.
    private func failure(_ failure: EngineFailure) -> any Error {
        switch failure.code {
        case .canceled: return CancellationError()
        case .unreachable: return NodeFailure(.nodeLost, "The node \(name) is lost: \(lossReason(failure)).")
        case .badAnswer: return NodeFailure(.node, "The node \(name) failed. \(failure.description)")
        case .refused, .buildFailed, .pushFailed:
            let transcript = BuildTranscript()
            transcript.append(Array("Error: \(failure.description.split(whereSeparator: \.isNewline).joined(separator: " "))\n".utf8))
            transcript.finish()
            let text = FailureText(ending: .exited(1), transcript: transcript)
            return text.outsideFailure ?? NodeFailure(.node, "The node \(name) failed. \(failure.description.printable(most: 500))")
        }
    }

    /// Returns why there is no connection, in a few words. An error about a file names neither the file
    /// nor the host.
    private func lossReason(_ failure: EngineFailure) -> String {
        switch failure.reason {
        case "no such file or directory"? where isOnThisHost: "its socket is not there, on the host of the worker"
        case "permission denied"? where isOnThisHost: "the worker may not use its socket"
        case let reason: reason ?? "it does not answer"
        }
    }

    /// Returns the failure of a build.
    private func failure(_ failure: EngineFailure, of specification: BuildSpecification, _ transcript: BuildTranscript) -> any Error {
        guard failure.code == .buildFailed || failure.code == .refused else {
            guard failure.code == .unreachable else { return self.failure(failure) }
            let step = transcript.step
            return NodeFailure(
                .nodeLost, "The node \(name) was lost during the build\(step.map { ", in \($0)" } ?? "").", step: step,
                lastLines: transcript.lastLines())
        }
        var text = failure.description.split(whereSeparator: \.isNewline).joined(separator: " ")
        // Later versions of podman begin with this word.
        if text.hasPrefix("error building at STEP") { text.removeFirst("error ".count) }
        transcript.append(Array("\nError: \(text)\n".utf8))
        return FailureText(ending: .exited(1), transcript: transcript, architecture: platform?.architecture).failure(of: specification)
    }
}

extension Result {
    fileprivate var failure: Failure? {
        guard case .failure(let failure) = self else { return nil }
        return failure
    }
}
