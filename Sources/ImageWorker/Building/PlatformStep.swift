import BuildNodes
import ComposeStore
import ComposeWorker
import Foundation
import ImageModel
import NIOPosix
import Registry
import SystemPackage

/// A *platform step* builds one platform of an image, pushes it, reads its contents back from the
/// registry, and verifies them. The pushed image has only a tag of its platform and date, so
/// users of the image do not get it yet.
struct PlatformStep {
    let configuration: ImageBuildConfiguration
    let store: ComposeStore
    let nodes: StepNodes
    let registry: RegistryClient
    let reader: any ContentsReading

    func run(_ lease: StepLease, _ inputs: StepInputs, _ platform: Platform, until deadline: LeaseDeadline) async throws -> StepResult {
        let log = try openLog(inputs.build, platform, until: deadline)
        if lease.step.attempts > 1 { log.note("This is attempt \(lease.step.attempts).") }
        if !lease.step.failedNodes.isEmpty { log.note("Nodes that could not build it: \(lease.step.failedNodes.joined(separator: ", ")).") }
        do {
            let result = try await BuildFailure.translating(attempt: lease.step.attempts) {
                try await nodes.with(lease.step) { try await run(lease, inputs, platform, $0, log) }
            }
            log.note("The image is pushed as \(inputs.image.repository)@\(result.digest).")
            return result
        } catch is CancellationError {
            throw CancellationError()
        } catch let failure as BuildFailure {
            log.note("The step failed: \(failure.message)")
            throw failure
        } catch let failure as FailureOfNode {
            log.note("The node could not build it: \(failure.failure.message)")
            throw failure
        } catch {
            // The error can have paths and addresses of the host, and the log is public.
            log.note("The step failed unexpectedly.")
            throw error
        }
    }

    private func run(
        _ lease: StepLease, _ inputs: StepInputs, _ platform: Platform, _ node: any BuildNode, _ log: StepLog
    ) async throws -> StepResult {
        let (build, image) = (inputs.build, inputs.image)
        let name = try Self.name(of: lease.step.id, submitted: build.timeSubmitted)
        // To ask the node takes a start of the builder. The first attempt cannot have left an image there.
        if lease.step.attempts > 1, try await node.image(of: name) != nil {
            log.note("The image is on the node \(node.name) from an earlier attempt. Only the push is repeated.")
            guard try await store.record(node: node.name, isolation: node.isolation, under: lease) else { throw CancellationError() }
        } else {
            try await self.build(lease, inputs, platform, on: node, named: name, log)
        }
        let target = PushTarget(image.repository, tag: try build.tag(of: platform))
        let begin = ContinuousClock.now
        let digest = try await reaching([image.repository], from: node, lease.step) {
            try await node.push(name, to: target) { log.write($0) }
        }
        log.note("The image was pushed in \((.now - begin).inSeconds) seconds.")
        let manifest = try await check(digest, at: target, platform, lease.step)
        if build.request.definition.artifact?.kind == .component {
            try await ComponentLayer(manifest, of: image.repository).check(registry: registry, limit: configuration.contextBytes)
        }
        // If the registry does not answer, the step is repeated with the image on the node.
        return StepResult(digest: digest, verification: try await verify(digest, lease, inputs, platform, log))
    }

    /// Removes the image of a step from the node of a farm. The sweeper removes the images of the worker's
    /// own node.
    func clean(after step: Step, of build: Build) async throws {
        guard step.isOnFarm else { return }
        let name = try Self.name(of: step.id, submitted: build.timeSubmitted)
        try await nodes.with(step) { try await $0.remove(name) }
    }

    /// The name of a step's image on the node. The time keeps steps of two databases apart, because a node
    /// can outlive the database that gave its steps their numbers.
    ///
    /// - Parameter time: The time at which the build was submitted.
    static func name(of step: Int, submitted time: Date) throws(ImageProblem) -> ImageTag {
        try ImageTag("step-\(step)-\(Int(time.timeIntervalSince1970 * 1000))")
    }

    /// Returns the number of the step in such a name.
    static func id(in name: ImageTag) -> Int? {
        let parts = name.text.split(separator: "-")
        return parts.count == 3 && parts[0] == "step" ? Int(parts[1]) : nil
    }

    private func openLog(_ build: Build, _ platform: Platform, until deadline: LeaseDeadline) throws -> StepLog {
        guard let target = configuration.logTarget else { throw BuildFailure(.internal, "The worker has no target directory.") }
        do {
            return try StepLog(
                target.pushing(FilePath(BuildLayout(build: build.id).log(of: platform))), limit: configuration.limits.logBytes,
                until: deadline)
        } catch {
            throw BuildFailure(.storage, "The log of the build cannot be written.", isTransient: true)
        }
    }

    private func build(
        _ lease: StepLease, _ inputs: StepInputs, _ platform: Platform, on node: any BuildNode, named name: ImageTag, _ log: StepLog
    ) async throws {
        let directory = configuration.workDirectory.appending(lease.token.uuidString.lowercased())
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw BuildFailure(.storage, "The worker cannot write to its directory for contexts.", isTransient: true)
        }
        let result: Result<Void, any Error>
        do {
            let preparation = ImagePreparation(configuration: configuration, store: store, registry: registry, node: node, log: log)
            let specification = try await preparation.specification(lease, inputs, platform: platform, named: name, in: directory)
            log.note("\(platform) is built on the node \(node.name).")
            let built = try await reaching(specification.repositories, from: node, lease.step) {
                try await node.build(specification) { log.write($0) }
            }
            log.note("The image was built in \(built.elapsed.inSeconds) seconds.")
            result = .success(())
        } catch {
            result = .failure(error)
        }
        // This is done even if the task is canceled. The sweeper removes a directory that stays.
        try? await Task { try await NIOThreadPool.singleton.runIfActive { try FileManager.default.removeItem(atPath: directory.string) } }
            .value
        try result.get()
    }

    /// Runs work of a node that needs registries.
    ///
    /// A registry that does not answer a node is usually away for all of them. So the step waits, and comes
    /// back to the node, which may have the image already. If the registries answer the worker at a later
    /// attempt, the node has no way to one of them.
    ///
    /// - Throws: ``FailureOfNode`` in that case.
    private func reaching<Value>(
        _ repositories: Set<ImageRepository>, from node: any BuildNode, _ step: Step, _ body: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await body()
        } catch let failure as NodeFailure where failure.kind == .registryDown && step.isOnFarm && step.attempts > 1 {
            for repository in repositories where try await !registry.answers(for: repository) { throw failure }
            let sentence = "The node \(node.name) does not reach a registry that the worker reaches. \(failure.sentence)"
            throw FailureOfNode(failure: BuildFailure(.registryUnreachable, sentence, log: failure.lastLines, isTransient: true))
        }
    }

    /// Checks that the registry has the image that the node says it has pushed, and that it is one of the
    /// platform. Returns its manifest.
    private func check(
        _ digest: ImageDigest, at target: PushTarget, _ platform: Platform, _ step: Step
    ) async throws -> Manifest {
        let document = try await pushed(digest, at: target, step)
        let repository = target.repository
        guard case .manifest(let manifest) = document.content else {
            throw BuildFailure(.unexpectedContents, "The node pushed an index instead of an image.")
        }
        let bytes = try await registry.knownBlob(manifest.configuration, of: repository)
        let configuration: ImageConfiguration
        do throws(ImageProblem) {
            configuration = try ImageConfiguration(bytes)
        } catch {
            throw BuildFailure(.unexpectedContents, "The image that the node pushed cannot be used. \(error.description)")
        }
        guard configuration.platform == platform else {
            throw BuildFailure(
                .unexpectedContents,
                "The image that the node pushed is one of \(configuration.platform), and not of \(platform). The base image may have another platform than its index says."
            )
        }
        return manifest
    }

    /// Returns the manifest that the registry shows at the tag, which is that of this step alone.
    ///
    /// If it is another one than the node says, the node or the registry lies. The node is disabled then.
    private func pushed(_ digest: ImageDigest, at target: PushTarget, _ step: Step) async throws -> ManifestDocument {
        let repository = target.repository
        let document: ManifestDocument
        do throws(RegistryFailure) {
            document = try await registry.manifest(ImageReference(repository, tag: target.tag))
        } catch {
            guard error.code == .notFound else { throw error }
            let failure = BuildFailure(
                .registryRefused, "The registry does not have the image that was pushed a moment ago as \(target).", isTransient: true)
            // The node may not have pushed it.
            if step.isOnFarm { throw FailureOfNode(failure: failure) }
            throw failure
        }
        if document.digest == digest { return document }
        // An attempt that has lost its lease may still have pushed another image.
        if step.attempts > 1, try await registry.reportedDigest(of: ImageReference(repository, digest: digest)) != nil {
            throw BuildFailure(.internal, "An earlier attempt at this step has pushed at the same time.", isTransient: true)
        }
        let problem =
            "The node \(step.node ?? FarmNode.localName) says that it pushed \(digest) as \(target), but the registry has \(document.digest) there. One of them lies."
        try await nodes.disable(step, because: problem)
        let failure = BuildFailure(
            .digestMismatch,
            "\(problem) The node is disabled until an operator has checked it. Another \(step.isOnFarm ? "node" : "worker") can do this step.",
            isTransient: true)
        if step.isOnFarm { throw FailureOfNode(failure: failure) }
        throw failure
    }

    /// Records the contents of a pushed image, and compares them with those of the image before.
    ///
    /// - Returns: The comparison of an image that can be used. That of another one is recorded.
    private func verify(
        _ digest: ImageDigest, _ lease: StepLease, _ inputs: StepInputs, _ platform: Platform, _ log: StepLog
    ) async throws -> Verification {
        let repository = inputs.image.repository
        // The registry is waited for meanwhile.
        async let known = contents(ofImageBefore: inputs.manifests[platform], repository, platform)
        // The labels of the image name the build, so only an earlier attempt can have recorded its contents.
        let after = try await contents(of: digest, repository, platform, isNew: lease.step.attempts == 1)
        let before = try await known
        let wanted = Dictionary((inputs.findings[platform] ?? []).map { ($0.installed.line, $0.newest) }, uniquingKeysWith: max)
        var verification = Verification(from: before, to: after, wanted: wanted)
        if !verification.stillOlder.isEmpty {
            // The explanation names the parent that has the package.
            let parents = try await parents(of: inputs.build, platform)
            verification = Verification(from: before, to: after, wanted: wanted, parents: parents)
        }
        for sentence in verification.sentences { log.note(sentence) }
        guard let failure = verification.failure(refusesUnexpected: configuration.refusesUnexpected) else { return verification }
        guard try await store.record(verification, of: platform, under: lease) else { throw CancellationError() }
        throw failure
    }

    /// Returns the contents of a manifest, and records them if they are not known.
    ///
    /// - Parameter isNew: Whether they cannot be known.
    private func contents(
        of digest: ImageDigest, _ repository: ImageRepository, _ platform: Platform, isNew: Bool = false
    ) async throws -> Contents {
        if !isNew, let known = try await store.contents(of: digest), known.packages != nil { return known }
        let contents = try await reader.contents(of: repository, digest: digest, platform: platform)
        try await store.record(contents)
        return contents
    }

    private func contents(
        ofImageBefore digest: ImageDigest?, _ repository: ImageRepository, _ platform: Platform
    ) async throws -> Contents? {
        guard let digest else { return nil }
        do {
            return try await contents(of: digest, repository, platform)
        } catch let failure as RegistryFailure where failure.code == .notFound {
            // The image before was removed from the registry.
            return nil
        }
    }

    /// Returns the contents of the images that the Containerfile names, as far as they can be read.
    private func parents(of build: Build, _ platform: Platform) async throws -> [Verification.Parent] {
        guard let pins = try await store.build(build.id)?.pins else { return [] }
        var parents: [Verification.Parent] = []
        for (name, digest) in pins.images.sorted(by: { $0.key < $1.key }) {
            let repository = try ImageReference(name).repository
            do {
                let document = try await registry.manifest(ImageReference(repository, digest: digest))
                let manifest: ImageDigest =
                    switch document.content {
                    case .manifest: digest
                    case .index(let index): try index.manifest(for: platform).digest
                    }
                let contents = try await contents(of: manifest, repository, platform)
                parents.append(Verification.Parent(name: name, contents: contents))
            } catch is RegistryFailure {
                // The failure is explained without this image.
                continue
            } catch is ImageProblem {
                continue
            }
        }
        return parents
    }
}

extension RegistryClient {
    /// Returns whether the registry of a repository answers, even with a refusal.
    fileprivate func answers(for repository: ImageRepository) async throws -> Bool {
        do throws(RegistryFailure) {
            _ = try await reportedDigest(of: ImageReference(repository, tag: .latest))
            return true
        } catch {
            if error.code == .canceled { throw error }
            return error.code != .unreachable
        }
    }
}

extension Duration {
    /// For example `1.42`.
    fileprivate var inSeconds: String { String(format: "%.2f", self / .seconds(1)) }
}
