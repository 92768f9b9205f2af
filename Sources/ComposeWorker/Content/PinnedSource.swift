import ComposeModel
import Compression
import ContentSources
import Modules

/// A pinned source is the source of a compose at one moment.
enum PinnedSource: Sendable {
    case repositories([RepositoryPin])
    case pungiComposes([PinnedPungiCompose])
    case pulp(PulpPin)
    case rawConfig(RawConfigCheckout, PungiConfiguration)
    /// The pin is settled if it has the current state of the tag, and if no change with an event before the
    /// pin's event can still appear in Koji.
    case koji(KojiPin, isSettled: Bool = true)
    case modules(PinnedModules)

    /// The pins in the form that the database stores.
    var record: ComposePins {
        var pins = ComposePins()
        switch self {
        case .repositories(let repositories): pins.repositories = repositories.map(ComposeSpecification.Repository.init)
        case .pungiComposes(let composes): pins.pungiComposes = composes.map(\.record)
        case .pulp(let pulp): pins.pulp = pulp
        case .rawConfig(let checkout, _): pins.rawConfig = checkout.pin
        case .koji(let pin, _): pins.koji = pin
        case .modules(let modules):
            pins.modules = modules.ids.map(\.description)
            pins.koji = modules.koji
            pins.repositories = modules.repositories.map(ComposeSpecification.Repository.init)
        }
        return pins
    }

    /// Lines for the log, one for each thing that was pinned.
    var lines: [String] {
        switch self {
        case .repositories(let repositories): repositories.map { "Pinned \($0.location) at \($0.checksum)." }
        case .pungiComposes(let composes): composes.map { "Pinned the compose \($0.location) at \($0.rpms)." }
        case .pulp(let pulp):
            pulp.repositories.map { "Pulp has \($0.id) at \($0.url)." }
                + pulp.absent.map { "Pulp has nothing called \($0); it is left out." }
        // The fetcher has already written this line.
        case .rawConfig: []
        case .koji(let pin, _):
            (pin.tag.map { ["Pinned the tag \($0.name) at the event \($0.event)\($0.inherits ? "" : ", without its parents")."] } ?? [])
                + pin.builds.map { "The build \($0) is part of it." } + pin.scratchTasks.map { "The scratch build \($0) is part of it." }
                + (pin.modules ?? []).map { "The module \($0.id) is taken along." }
        case .modules(let modules):
            (modules.reasons.isEmpty ? modules.ids.map { "The module \($0) is part of it." } : modules.reasons)
                + modules.repositories.map { "Pinned \($0.location) at \($0.checksum)." }
        }
    }

    /// Returns the words of the request's `source` as resolved.
    func words(of request: ComposeRequest) -> [String] {
        switch self {
        case .repositories, .pungiComposes: request.source
        case .pulp(let pulp): request.source.filter { !pulp.absent.contains($0) }
        case .rawConfig(let checkout, _): ["\(checkout.pin.name)#\(checkout.pin.commit)"]
        case .koji: request.source
        case .modules(let modules): modules.ids.map(\.description)
        }
    }

    /// The event of Koji's history at which a tag was pinned, or `nil` if the source is not a tag.
    var kojiEvent: Int? {
        if case .koji(let pin, _) = self { pin.tag?.event } else { nil }
    }

    /// Returns whether the same pins are sure to mean the same files for `request`. If they are, an earlier
    /// result can be shown without looking at the files.
    ///
    /// In Koji, only the current content of a tag changes together with the tag's events. Files also change
    /// without an event:
    ///
    /// - Builds that the request names, or that a tag had at a past event, may have been deleted or
    ///   imported again. They may also have got packages of another architecture.
    /// - A preferred key may have signed a copy.
    /// - A copy may have been removed. This matters to a result that only refers to it.
    func isSettled(for request: ComposeRequest) -> Bool {
        switch self {
        case .koji(let pin, let isSettled):
            isSettled && pin.builds.isEmpty && pin.modules == nil && request.delivery == .link && request.sigkeys.count < 2
        case .modules(let modules): modules.koji == nil
        case .repositories, .pungiComposes, .pulp, .rawConfig: true
        }
    }
}

extension ComposeSpecification.Repository {
    init(_ pin: RepositoryPin) {
        self.init(location: pin.location.description, repomd: pin.checksum.description)
    }
}

extension RepositoryPin {
    init(_ repository: ComposeSpecification.Repository) throws {
        guard let checksum = Checksum(repository.repomd) else {
            throw ComposeFailure(.internal, "The record of this compose has a checksum that cannot be read: \(repository.repomd).")
        }
        self.init(recorded: checksum, of: try RepositoryLocation(repository.location))
    }
}
