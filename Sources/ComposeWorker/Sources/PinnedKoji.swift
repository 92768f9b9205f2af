import ComposeModel
import ContentSources
import Modules

/// A tag or builds of Koji at one moment.
struct PinnedKoji: PinnedSource {
    let pin: KojiPin
    /// Whether the pin has the current state of the tag, and no change with an event before the pin's event
    /// can still appear in Koji.
    var isCurrent = true
    let koji: KojiReader

    var record: ComposePins { ComposePins(koji: pin) }

    var lines: [String] {
        (pin.tag.map { ["Pinned the tag \($0.name) at the event \($0.event)\($0.inherits ? "" : ", without its parents")."] } ?? [])
            + pin.builds.map { "The build \($0) is part of it." } + pin.scratchTasks.map { "The scratch build \($0) is part of it." }
            + (pin.modules ?? []).map { "The module \($0.id) is taken along." }
    }

    var kojiEvent: Int? { pin.tag?.event }

    /// In Koji, only the current content of a tag changes together with the tag's events. Files also change
    /// without an event:
    ///
    /// - Builds that the request names, or that a tag had at a past event, may have been deleted or
    ///   imported again. They may also have got packages of another architecture.
    /// - A preferred key may have signed a copy.
    /// - A copy may have been removed. This matters to a result that only refers to it.
    func isSettled(for request: ComposeRequest) -> Bool {
        isCurrent && pin.builds.isEmpty && pin.modules == nil && request.delivery == .link && request.sigkeys.count < 2
    }

    func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) async throws -> SourceContent {
        let packages = try await koji.packages(
            pin, defaults: defaults, lookaside: lookaside, for: attempt.request, meter: attempt.meter)
        attempt.log.write(.info, "Koji lists \(packages.koji?.packages.count ?? 0) packages.")
        return .packages(packages)
    }
}

extension KojiPin {
    /// Creates a pin with the builds that a request names, in addition to a tag or alone.
    init(tag: Tag?, modules: [Module]? = nil, of request: ComposeRequest) {
        self.init(
            tag: tag, builds: request.builds.sorted(), scratchTasks: request.scratchBuildTasks.compactMap { Int($0) }.sorted(),
            modules: modules, modulesEvent: modules == nil ? nil : request.kojiEvent)
    }
}
