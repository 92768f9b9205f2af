import Foundation
public import ImageModel
public import Logging
import Processes
import Retries
import Synchronization
public import SystemPackage

/// The *local node* builds images on this host with buildah and runc, as an ordinary user.
///
/// A RUN instruction is root of a user namespace. It sees no process, no device and no file of the
/// host, and without `network: host` no network. Example of a build:
///
///     setpriv --reuid=… unshare --user … unshare --pid … buildah --root … build --isolation rootless
///         --runtime runc --network none --no-cache --layers=false --iidfile … --tag … --file … CONTEXT
public final class LocalNode: BuildNode {
    public let name: String
    public var isolation: String { "rootless" }
    public var sharesCaches: Bool { false }
    public var hasVolumes: Bool { true }
    let buildah: Buildah
    /// The directory of the images.
    public var directory: FilePath { buildah.storage.directory }
    private let authFile: FilePath?
    let logger: Logger
    private let activity = Mutex(Activity())

    private struct Activity {
        /// The programs that run, with their work directories and the times of their starts.
        var running: [FilePath: Date] = [:]
        /// The operations that wait for the end of one that needs the node for itself. Nil without such a one.
        var waiting: [AsyncStream<Void>.Continuation]?
    }

    /// Prepares the directory of the node, and checks that images can be built.
    ///
    /// - Parameters:
    ///   - directory: The directory of this worker's images. No other process may use it.
    ///   - account: The user that builds.
    ///   - insecure: The registries that are spoken to without TLS, or without a check of their
    ///     certificate.
    ///   - authFile: The logins for registries, in the format of containers-auth.json(5).
    public static func open(
        _ directory: FilePath, account: BuildAccount, insecure: [RegistryHost] = [], authFile: FilePath? = nil, name: String = "local",
        logger: Logger
    ) async throws -> LocalNode {
        if let program = RequiredProgram.missing().first { throw program.failure }
        var storage = BuildStorage(directory: directory, account: account)
        try storage.prepare(insecure: insecure)
        storage.namespace = try await UserNamespace.choose(for: storage)
        storage.driver = try await StorageDriver.choose(for: storage, logger: logger)
        return LocalNode(name: name, buildah: Buildah(storage: storage), authFile: authFile, logger: logger)
    }

    private init(name: String, buildah: Buildah, authFile: FilePath?, logger: Logger) {
        self.name = name
        self.buildah = buildah
        self.authFile = authFile
        self.logger = logger
    }

    public func support(for platform: Platform) async throws -> PlatformSupport {
        try await PlatformProbe(node: self).support(for: platform)
    }

    public func build(_ specification: BuildSpecification, log: @escaping @Sendable (String) -> Void) async throws -> BuildResult {
        for directory in [specification.context] + specification.namedContexts.values + specification.volumes.values {
            try checkAccess(to: directory)
        }
        try check(specification.needs, specification.limits)
        return try await withWorkDirectory { work in
            if let caches = specification.cacheDirectory { try buildah.storage.link(caches, into: work) }
            let start = ContinuousClock.now
            let group = try groups.group(of: Self.name(of: work), limits: specification.limits)
            defer { group?.remove() }
            if group == nil {
                logger.notice(
                    "memory, processors and processes of a build are not limited: control groups are not delegated",
                    metadata: ["step": "\(specification.step)"])
            }
            let transcript = BuildTranscript(limit: specification.limits.logBytes, log: log)
            let file = work.appending("Containerfile")
            try buildah.storage.write(specification.containerfile.utf8, to: file)
            let command = buildah.process(
                Self.arguments(of: specification, file: file, work: work, authFile: try authFile(in: work)), in: work,
                timeLimit: specification.limits.time, group: group)
            let ending = try await run(command, specification, transcript)
            transcript.finish()
            guard ending == .exited(0) else {
                throw failure(ending, of: specification, group, transcript)
            }
            return BuildResult(
                image: try ImageDigest(text(of: work.appending("id"))), elapsed: ContinuousClock.now - start, isConfined: group != nil)
        }
    }

    public func image(of step: ImageTag) async throws -> ImageDigest? {
        try await images().first { $0.names.contains(Self.localName(of: step)) }.flatMap { try ImageDigest($0.id) }
    }

    public func push(
        _ step: ImageTag, to target: PushTarget, log: @escaping @Sendable (String) -> Void
    ) async throws -> ImageDigest {
        try await withWorkDirectory { work in
            var arguments = ["push", "--digestfile", work.appending("digest").string]
            if let file = try authFile(in: work) { arguments += ["--authfile", file.string] }
            arguments += [Self.localName(of: step), "docker://\(target)"]
            let transcript = BuildTranscript(log: log)
            let ending = try await buildah.process(arguments, in: work).run { transcript.append($0) }
            transcript.finish()
            guard ending == .exited(0) else { throw FailureText(ending: ending, transcript: transcript).failure(ofPushTo: "\(target)") }
            return try ImageDigest(text(of: work.appending("digest")))
        }
    }

    public func remove(_ step: ImageTag) async throws { try await remove(images: [Self.localName(of: step)]) }
}

extension LocalNode {
    /// The name of a step's image in the storage of the node.
    static func localName(of step: ImageTag) -> String { localNames + step.text }
    static let localNames = "localhost/odcs-step:"

    /// An image as `buildah images --json` describes it.
    struct StoredImage: Decodable {
        /// For example `sha256:…`.
        let id: String
        let names: [String]

        private enum CodingKeys: String, CodingKey { case id, names }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(String.self, forKey: .id)
            names = try container.decodeIfPresent([String].self, forKey: .names) ?? []
        }
    }

    func images() async throws -> [StoredImage] {
        let text = try await output(of: ["images", "--json", "--no-trunc"])
        return try JSONDecoder().decode([StoredImage]?.self, from: Data(text.utf8)) ?? []
    }

    /// Removes images by their names or ids. An image stays while the container of a build uses it.
    ///
    /// - Returns: Whether all of them are gone.
    @discardableResult func remove(images: [String]) async throws -> Bool {
        var areGone = true
        for image in images {
            let (ending, transcript) = try await withWorkDirectory { try await buildah.run(["rmi", image], in: $0) }
            if ending == .exited(0) || transcript.lastLines().contains(where: { $0.contains("image not known") }) { continue }
            areGone = false
            guard transcript.lastLines().contains(where: { $0.contains("image is in use by a container") }) else {
                throw NodeFailure(.node, "The image \(image) cannot be removed: \(transcript.lastLines(3).joined(separator: " ")).")
            }
        }
        return areGone
    }

    /// Returns the output of buildah, without a limit of lines and without its messages. It has one for
    /// each image that a killed builder has left.
    func output(of arguments: [String]) async throws -> String {
        try await withWorkDirectory { work in
            let bytes = Mutex<[UInt8]>([])
            let ending = try await buildah.process(["--log-level", "panic"] + arguments, in: work).run { buffer in
                bytes.withLock { $0 += buffer }
            }
            let text = String(decoding: bytes.withLock(\.self), as: UTF8.self)
            guard ending == .exited(0) else { throw NodeFailure(.node, "buildah \(arguments[0]) \(ending.inWords): \(text.suffix(500))") }
            return text
        }
    }

    /// The control groups of this node's builds. The place of this process among them may have changed.
    var groups: NodeControlGroups { get throws { try NodeControlGroups(of: directory) } }

    /// The name of a build, which is that of its work directory.
    static func name(of work: FilePath) -> String { work.lastComponent?.string ?? "build" }

    /// The start of the oldest build that runs, and the work directories of all builds that run.
    var active: (oldest: Date?, directories: Set<FilePath>) {
        activity.withLock { ($0.running.values.min(), Set($0.running.keys)) }
    }

    /// Takes the caches of images away, unless a build runs. Returns the directories to remove.
    func dropCaches() throws -> [FilePath] {
        // A build is noted before it gets its caches, so it makes new ones after this.
        try activity.withLock { $0.running.isEmpty ? try buildah.storage.dropCaches() : [] }
    }

    /// Removes what a killed builder has left in the storage, unless a program runs: images that are half
    /// made, and with `bases` layers of no image if there are no images any more. Operations that begin
    /// meanwhile wait, because a pull may use a half made image.
    ///
    /// - Returns: The number of images and directories that were removed.
    func removeHalfMade(bases: Bool) async throws -> Int {
        let isFree = activity.withLock { activity in
            guard activity.running.isEmpty, activity.waiting == nil else { return false }
            activity.waiting = []
            return true
        }
        guard isFree else { return 0 }
        let result: Swift.Result<Int, any Error>
        do { result = .success(try await removeHalfMadeAlone(bases: bases)) } catch { result = .failure(error) }
        let waiting = activity.withLock { activity in
            defer { activity.waiting = nil }
            return activity.waiting
        }
        for other in waiting ?? [] { other.finish() }
        return try result.get()
    }

    private func removeHalfMadeAlone(bases: Bool) async throws -> Int {
        let storage = buildah.storage
        let images = storage.halfMadeImages
        if !images.isEmpty {
            let work = try storage.makeWorkDirectory()
            // One that cannot be removed stays until the disk is nearly full.
            _ = try await buildah.run(["rmi", "--force"] + images, in: work)
            try await buildah.removeDirectory(work)
        }
        guard bases, storage.hasOnlyLayers else { return images.count - storage.halfMadeImages.count }
        try await buildah.removeDirectory(try storage.dropImages())
        return images.count + 1
    }

    /// Gives an operation a directory for its temporary files, which is removed afterwards.
    func withWorkDirectory<Result>(_ operation: (FilePath) async throws -> Result) async throws -> Result {
        let work = try await begin()
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await operation(work)) } catch { result = .failure(error) }
        // This is done even if the task is canceled.
        try? await Task { [buildah] in try await buildah.removeDirectory(work) }.value
        _ = activity.withLock { $0.running.removeValue(forKey: work) }
        return try result.get()
    }

    /// Makes the work directory of an operation. The start is noted before the directory is there, so that
    /// the sweeper never takes it.
    private func begin() async throws -> FilePath {
        while true {
            let (work, end) = try activity.withLock { activity -> (FilePath?, AsyncStream<Void>?) in
                if activity.waiting != nil {
                    let (end, continuation) = AsyncStream.makeStream(of: Void.self)
                    activity.waiting?.append(continuation)
                    return (nil, end)
                }
                let work = try buildah.storage.makeWorkDirectory()
                activity.running[work] = Date()
                return (work, nil)
            }
            if let work { return work }
            if let end { for await _ in end {} }
            try Task.checkCancellation()
        }
    }
}

extension LocalNode {
    private static func arguments(of specification: BuildSpecification, file: FilePath, work: FilePath, authFile: FilePath?) -> [String] {
        var arguments = [
            "build", "--isolation", "rootless", "--runtime", "runc", "--network", specification.network.rawValue, "--no-cache",
            "--layers=false", "--platform", specification.platform.description, "--iidfile", work.appending("id").string, "--tag",
            localName(of: specification.step), "--file", file.string,
        ]
        if let timestamp = specification.timestamp { arguments += ["--timestamp", "\(timestamp)"] }
        if let authFile { arguments += ["--authfile", authFile.string] }
        for (name, directory) in specification.namedContexts.sorted(by: { $0.key < $1.key }) {
            arguments += ["--build-context", "\(name)=\(directory)"]
        }
        for (target, directory) in specification.volumes.sorted(by: { $0.key < $1.key }) {
            arguments += ["--volume", "\(directory):\(target):ro"]
        }
        for (name, value) in specification.arguments.sorted(by: { $0.key < $1.key }) { arguments += ["--build-arg", "\(name)=\(value)"] }
        for (name, value) in specification.labels.sorted(by: { $0.key < $1.key }) { arguments += ["--label", "\(name)=\(value)"] }
        return arguments + [specification.context.string]
    }

    private enum Outcome: Sendable {
        case ended(ChildProcess.Ending)
        case logIsTooLong
        case diskIsNearlyFull(free: Int)
    }

    /// Runs the build to its end. Ends it if its log is too long or the disk is nearly full, and then
    /// throws.
    private func run(
        _ command: ChildProcess, _ specification: BuildSpecification, _ transcript: BuildTranscript
    ) async throws -> ChildProcess.Ending {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            group.addTask { .ended(try await command.run { transcript.append($0) }) }
            group.addTask {
                for await _ in transcript.overflow { return .logIsTooLong }
                throw CancellationError()
            }
            group.addTask { .diskIsNearlyFull(free: try await self.freeBytes(below: specification.limits.leastFreeBytes)) }
            let first = try await group.next()
            group.cancelAll()
            // The end of all processes is awaited.
            while !group.isEmpty {
                do { _ = try await group.next() } catch is CancellationError { continue }
            }
            try Task.checkCancellation()
            switch first {
            case .ended(let ending): return ending
            case .logIsTooLong:
                throw NodeFailure(
                    .logLimit, "The build printed more than \(specification.limits.logBytes) bytes, and was ended.", step: transcript.step,
                    lastLines: transcript.lastLines())
            case .diskIsNearlyFull(let free):
                let step = transcript.step.map { " in \($0)" } ?? ""
                throw NodeFailure(
                    .diskFull,
                    "The build was ended\(step), because the disk of the node \(name) has only \(free >> 20) MB left. "
                        + "\(specification.limits.leastFreeBytes >> 20) MB must stay free. Give the disk more space, or write less to it.",
                    step: transcript.step, lastLines: transcript.lastLines())
            case nil: throw CancellationError()
            }
        }
    }

    /// Waits until fewer bytes than `least` are free on the disk of the node, and returns their number.
    private func freeBytes(below least: Int) async throws -> Int {
        while true {
            // A disk does not report how full it is, so it is looked at. Without a limit, there is nothing to see.
            try await longSleep(for: least > 0 ? .seconds(1) : .seconds(3600))
            let free = try directory.freeBytes()
            if free < least { return free }
        }
    }

    private func failure(
        _ ending: ChildProcess.Ending, of specification: BuildSpecification, _ group: ControlGroup?, _ transcript: BuildTranscript
    ) -> NodeFailure {
        if ending == .timeLimit {
            let step = transcript.step.map { " in \($0)" } ?? ""
            return NodeFailure(
                .timeLimit, "The build exceeded its time limit of \(specification.limits.time.inWords)\(step).", step: transcript.step,
                lastLines: transcript.lastLines())
        }
        if let group, group.hasExceededMemory, let bytes = specification.limits.memoryBytes {
            return NodeFailure(
                .memoryLimit, "The build used more than its memory limit of \(bytes >> 20) MiB.", step: transcript.step,
                lastLines: transcript.lastLines())
        }
        let failure = FailureText(ending: ending, transcript: transcript).failure(of: specification)
        guard [.instruction, .containerfile].contains(failure.kind), let group, group.hasUsedAllProcesses else { return failure }
        return NodeFailure(
            failure.kind, "The build used its limit of \(specification.limits.processes) processes. \(failure.sentence)",
            step: failure.step, status: failure.status, lastLines: failure.lastLines)
    }

    private func checkAccess(to directory: FilePath) throws {
        let account = buildah.storage.account.account
        if let obstacle = account.obstacle(above: directory.appending(".")) {
            throw NodeFailure(.node, "Images are built by the user \(account.name), who cannot enter \(obstacle): chmod o+x \(obstacle)")
        }
    }

    /// Copies the logins to a place where only the build account can read them, because the account cannot
    /// read the server's file. Containers do not see the directory.
    private func authFile(in work: FilePath) throws -> FilePath? {
        guard let authFile else { return nil }
        let copy = work.appending("auth.json")
        try buildah.storage.write(text(of: authFile).utf8, to: copy)
        return copy
    }

    private func text(of file: FilePath) throws -> String {
        try String(contentsOfFile: file.string, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension Duration {
    /// For example `90 seconds`.
    fileprivate var inWords: String {
        components.seconds == 0 ? "\(components.attoseconds / 1_000_000_000_000_000) milliseconds" : "\(components.seconds) seconds"
    }
}
