import ComposeModel
public import ComposeStore
import Compression
public import ContentSources
public import Depsolve
import ForeignText
import Foundation
import Modules
public import NIOPosix
public import Repodata
import SystemPackage

/// A compose pipeline makes a compose, from a lease to a published repository. Its steps are:
///
/// - Pin the inputs.
/// - Settle: reuse or join an equal compose, if there is one.
/// - Fetch the inputs to this host.
/// - Resolve: choose the packages.
/// - Settle again: reuse a result with the same packages, if there is one.
/// - Write the files.
/// - Finish: publish them.
///
/// Each step takes a value and passes a value of its own to the next step. Errors are thrown as a
/// `ComposeFailure`, and a lost lease as ``LeaseLost``.
public struct ComposePipeline: Sendable {
    let configuration: WorkerConfiguration
    let store: ComposeStore
    let sources: ComposeSources
    let depsolver: Depsolver
    let delivery: PackageDelivery
    /// Reads Koji's files. A request cannot name these files itself.
    let kojiDelivery: PackageDelivery
    let threadPool: NIOThreadPool
    private let knownIndexes = KnownIndexes()
    private let composed: @Sendable ([RepositoryMetadata]) -> Void

    /// How often one attempt pins a source that changes while it is being read.
    static let pinnings = 3

    /// Creates a pipeline.
    ///
    /// - Parameter composed: Receives the metadata from which a compose was made, when the compose is done.
    ///   It must return at once.
    public init(
        configuration: WorkerConfiguration, store: ComposeStore, sources: ComposeSources, depsolver: Depsolver, delivery: PackageDelivery,
        kojiDelivery: PackageDelivery? = nil, threadPool: NIOThreadPool,
        composed: @escaping @Sendable ([RepositoryMetadata]) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.store = store
        self.sources = sources
        self.depsolver = depsolver
        self.delivery = delivery
        self.kojiDelivery = kojiDelivery ?? delivery
        self.threadPool = threadPool
        self.composed = composed
    }

    func run(_ attempt: ComposeAttempt) async throws {
        let compose = attempt.lease.compose
        attempt.log.write(.info, "Attempt \(compose.attempts) at compose \(compose.id) by \(configuration.name).")
        guard let (content, pins) = try await settledContent(attempt) else { return }
        guard let tree = try await tree(of: content, at: pins, for: attempt) else { return }
        try await attempt.meter.measure(.publish) { try await publish(tree, of: pins, for: attempt) }
        if case .packages(let packages) = content { composed((packages.repositories + packages.lookaside).map(\.metadata)) }
    }

    // MARK: Pin, settle, fetch

    /// Returns the content that the compose is made from, with its pins. Returns `nil` if an equal compose
    /// made it unnecessary to build this one.
    private func settledContent(_ attempt: ComposeAttempt) async throws -> (SourceContent, ComposePins)? {
        let compose = attempt.lease.compose
        for pinning in 1... {
            let inputs = try await attempt.meter.measure(.pin) {
                PinnedInputs(
                    source: try await sources.pin(attempt),
                    lookaside: try await sources.pinLookaside(compose), moduleDefaults: try await sources.pinModuleDefaults(attempt))
            }
            for line in inputs.lines { attempt.log.write(.info, line) }
            guard try await mustBuild(inputs, attempt) else { return nil }
            do {
                let content = try await attempt.meter.measure(.fetch) {
                    try await inputs.source.content(
                        lookaside: inputs.lookaside, defaults: inputs.moduleDefaults?.metadata ?? ModuleMetadata(), for: attempt)
                }
                return (content, inputs.record)
            } catch let failure as ComposeFailure where failure.code == .sourceNotUsable && compose.request.lock != nil {
                throw try await explaining(failure, ofLocked: attempt)
            } catch let failure as ComposeFailure
                where failure.code == .sourceChanging && pinning < Self.pinnings && !compose.isPinned
            {
                attempt.log.write(.warning, "\(failure.message) It is looked at anew.")
            }
        }
        return nil
    }

    /// Records the inputs of the compose. Returns whether it must be built, because no equal compose exists
    /// or is being built. Throws ``LeaseLost``.
    private func mustBuild(_ inputs: PinnedInputs, _ attempt: ComposeAttempt) async throws -> Bool {
        let source = inputs.source
        let request = attempt.lease.compose.request
        let settlement = try await store.settle(
            attempt.lease, as: ComposeSpecification(request, pins: inputs.record),
            source: source.words(of: request).joined(separator: " "), kojiEvent: source.kojiEvent,
            mayReuse: source.isSettled(for: request), reason: { "Done: it shows compose \($0), which has the same inputs." })
        switch settlement {
        case .leaseLost:
            throw LeaseLost()
        case .reused(let other):
            attempt.meter.count(.composeReused)
            attempt.log.write(.info, "Compose \(other) has the same inputs: its repository is shown.")
            return false
        case .joined(let other):
            attempt.meter.count(.composeJoined)
            attempt.log.write(.info, "Compose \(other) has the same inputs and is under way: its repository will be shown.")
            return false
        case .build:
            return true
        }
    }

    // MARK: Resolve

    /// Chooses the packages of `content` that the request asks for, and finds their files. Throws a
    /// `ComposeFailure` if some of them are not there.
    ///
    /// - Parameter tell: Receives a sentence for each point in which the result differs from the request.
    ///   It is called before any of these points ends the compose.
    func choose(
        from content: PackageSet, for request: ComposeRequest, tell: (String) -> Void = { _ in }
    ) async throws -> PackageChoice {
        let resolution: Resolution
        do throws(DepsolveError) {
            resolution = try await depsolver.resolve(DepsolveRequest(request, in: content))
        } catch {
            throw ComposeFailure(error, in: content)
        }
        for sentence in content.notes + resolution.findings(in: content) { tell(sentence) }
        if let failure = content.koji?.leftOut?.failure(of: resolution, for: request) { throw failure }
        if let failure = resolution.failure(of: request) { throw failure }
        let (files, chosen) = try await sources.koji?.files(of: resolution, from: content, for: request) ?? (resolution, content)
        return try await threadPool.runIfActive { try PackageChoice(files, from: chosen, for: request) }
    }

    /// Returns the packages that a request resolves to, and the pins. The tag is taken as of an event, and
    /// the other inputs as they are now. Nothing is written.
    func choose(as tag: KojiPin.Tag, for request: ComposeRequest) async throws -> (pins: ComposePins, choice: PackageChoice) {
        guard let koji = sources.koji else { throw ComposeSources.notConfigured(request.sourceType) }
        let pin = KojiPin(tag: tag, of: request)
        let lookaside = try await sources.pinLookaside(of: request)
        let content = try await koji.packages(pin, lookaside: lookaside, for: request, meter: WorkMeter())
        let inputs = PinnedInputs(source: PinnedKoji(pin: pin, koji: koji), lookaside: lookaside)
        return (inputs.record, try await choose(from: content, for: request))
    }

    /// Returns whether the packages must be written, because no result has the same packages. Throws
    /// ``LeaseLost``.
    private func mustWrite(_ choice: PackageChoice, _ attempt: ComposeAttempt) async throws -> Bool {
        let what = Self.whatChanged(attempt.lease.compose.request, choice.content.koji?.pin.tag)
        let settlement = try await store.settle(attempt.lease, packagesKey: choice.key) { other in
            Resolution.lines("Done: it shows compose \(other): \(what).", listing: choice.findings).printableLines
        }
        switch settlement {
        case .leaseLost:
            throw LeaseLost()
        case .reused(let other), .joined(let other):
            attempt.meter.count(.composeUnchanged)
            attempt.log.write(.info, "Compose \(other) has the same packages: its repository is shown.")
            return false
        case .build:
            return true
        }
    }

    /// Returns why the specification of a compose differs from that of a compose with the same packages.
    /// The text is not a whole sentence.
    private static func whatChanged(_ request: ComposeRequest, _ tag: KojiPin.Tag?) -> String {
        let same = "the packages are the same"
        // The text does not distinguish whether the tag changed or only may have changed.
        if let tag { return "the tag \(tag.name) was listed as of the event \(tag.event), and \(same)" }
        let isOneRepository = request.sourceType == .repo && request.source.count == 1 && request.lookasideRepos.isEmpty
        return isOneRepository
            ? "the repository \(request.source[0]) changed, but \(same)" : "what it is made from was looked at anew, and \(same)"
    }

    // MARK: Write

    /// Returns the written tree. Returns `nil` if a compose with the same packages made it unnecessary to
    /// write one.
    private func tree(of content: SourceContent, at pins: ComposePins, for attempt: ComposeAttempt) async throws -> WrittenTree? {
        switch content {
        case .packages(let packages):
            // The indexes are opened while the packages are chosen. Koji's repository is left out, because another
            // repository takes its place once the packages are chosen.
            async let opened = MetadataIndexes(knownIndexes).adding(
                packages.repositories.filter { $0.metadata.id != packages.koji?.repository }, threadPool: threadPool)
            let choice = try await attempt.meter.measure(.resolve) {
                try await choose(from: packages, for: attempt.lease.compose.request) { attempt.log.write(.warning, $0) }
            }
            let binaries = choice.resolution.trees.map(\.binaries.count).reduce(0, +)
            attempt.log.write(.info, "Resolved: \(binaries) packages, \(choice.resolution.sources.count) source packages.")
            try await checkLock(of: attempt.lease.compose.request, choice)
            guard try await mustWrite(choice, attempt) else { return nil }
            for sentence in KeptDocument.losses(of: packages, for: attempt.lease.compose.request) { attempt.log.write(.info, sentence) }
            let indexes: MetadataIndexes
            do {
                indexes = try await opened
            } catch let error as RepodataError {
                throw ComposeFailure(writing: error)
            }
            var tree = try await attempt.meter.measure(.write) { try await write(choice, at: pins, indexes: indexes, for: attempt) }
            tree.packagesKey = choice.key
            return tree
        case .tree(let writer):
            return try await attempt.meter.measure(.write) { try await writer.write() }
        }
    }

    private func write(
        _ choice: PackageChoice, at pins: ComposePins, indexes: MetadataIndexes, for attempt: ComposeAttempt
    ) async throws -> WrittenTree {
        let directory = attempt.directory.appending(".kept")
        let kept = try await fetch(choice.kept, into: directory, attempt)
        let writer = ComposeTreeWriter(
            attempt: attempt, configuration: configuration, pins: pins, content: choice.content, modules: choice.modules,
            keptDocuments: kept.documents, findings: choice.findings + kept.findings, indexes: indexes, delivery: delivery,
            kojiDelivery: kojiDelivery,
            threadPool: threadPool)
        let tree = try await writer.write(choice.resolution)
        if !choice.kept.isEmpty {
            try await threadPool.runIfActive { try FileManager.default.removeItem(atPath: directory.string) }
        }
        return tree
    }

    /// Fetches the documents that the compose keeps. A document that cannot be fetched is a finding and not
    /// a failure, because the packages do not need it.
    private func fetch(
        _ kept: [KeptDocument], into directory: FilePath, _ attempt: ComposeAttempt
    ) async throws -> (documents: [RepositoryWriter.ExtraDocument], findings: [String]) {
        if kept.isEmpty { return ([], []) }
        try await threadPool.runIfActive {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        }
        var documents: [RepositoryWriter.ExtraDocument] = []
        var findings: [String] = []
        for document in kept {
            do throws(ComposeFailure) {
                let file = try await sources.repositories.fetch(document.record, of: document.repository, into: directory)
                documents.append(.init(type: document.type, file: file))
            } catch {
                if error.code == .canceled { throw error }
                findings.append("The document \(document.type) is not kept. \(error.message)")
                attempt.log.write(.warning, findings[findings.count - 1])
            }
        }
        return (documents, findings)
    }

    // MARK: Finish

    private func publish(_ tree: WrittenTree, of pins: ComposePins, for attempt: ComposeAttempt) async throws {
        let publication = Publication(attempt: attempt, directory: tree.directory)
        attempt.log.write(.info, "Written: \(tree.summary), \(tree.bytes) bytes.")
        let held = try await store.finish(
            attempt.lease, as: ComposeSpecification(attempt.lease.compose.request, pins: pins), composeID: tree.composeID,
            packagesKey: tree.packagesKey, packages: tree.packages, bytes: tree.bytes,
            reason: Resolution.lines("Done: \(tree.summary).", listing: tree.findings).printableLines
        ) { isHeld in
            if try await !threadPool.runIfActive({ try publication.place() }) {
                try await isHeld()
                try await threadPool.runIfActive { try publication.replace() }
            }
            // A worker that stood still in the rename may go on after another one took over. If only a renewal
            // failed, this transaction still holds the compose.
            if attempt.deadline.isOver { try await isHeld() }
            try await threadPool.runIfActive { try publication.giveOtherNames() }
            // This is the last line. It is written before a client can see that the compose is done and stop
            // reading.
            attempt.log.write(.info, "Done.")
        }
        guard held else { throw LeaseLost() }
        attempt.meter.count(.composeBuilt)
    }
}

extension DepsolveRequest {
    /// Creates the request to choose packages of `content`.
    init(_ request: ComposeRequest, in content: PackageSet) {
        self.init(
            repositories: content.repositories.map(\.metadata), lookaside: content.lookaside.map(\.metadata),
            listings: content.listings, modules: content.modules, packages: request.packages, arches: request.arches,
            multilibArches: request.multilibArches, multilibMethod: MultilibMethod(request.multilibMethods),
            noDeps: request.flags.contains(.noDeps), checkInstallability: request.flags.contains(.checkDeps))
    }
}

extension MultilibMethod {
    init(_ methods: MultilibMethods) {
        self = []
        if methods.contains(.runtime) { insert(.runtime) }
        if methods.contains(.devel) { insert(.devel) }
        if methods.contains(.all) { insert(.all) }
    }
}
