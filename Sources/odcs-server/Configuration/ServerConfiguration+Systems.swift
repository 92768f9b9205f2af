import ComposeModel
import ComposeWorker
import ContentSources
import HTTPEnvironment
import Logging
import NIOPosix
import ServiceConfiguration

extension ServerConfiguration {
    /// The systems that some source types need, besides Koji and places of modules. Each system is
    /// optional.
    struct Systems: Hashable, Sendable {
        /// The Pulp server. `nil` if no Pulp is configured.
        var pulp: PulpServer?
        /// The settings of Pungi. `nil` if this service does not run Pungi.
        var pungi: PungiConfiguration?

        init(_ reader: inout ConfigurationReader) throws {
            pulp = try reader.pulpServer()
            pungi = try reader.pungiConfiguration()
        }

        /// Throws if one of the `source` words of a request cannot be asked of its system.
        func check(_ words: [String], of type: SourceType) throws(ComposeFailure) {
            if type == .pulp { try pulp?.check(words) }
        }
    }

    /// Returns the settings that are missing for composes of a source type. If it returns several, one of
    /// them is enough. If it returns none, this configuration has everything that the type needs.
    func missingSettings(for type: SourceType) -> [String] {
        switch type {
        case .tag, .build: koji == nil ? ["koji.hub"] : []
        case .module:
            koji == nil && modules.service == nil && modules.repositories.isEmpty ? ["mbs.url", "koji.hub", "modules.repositories"] : []
        case .pulp: systems.pulp == nil ? ["pulp.url"] : []
        case .rawConfig: systems.pungi == nil ? ["raw_config.pungi_koji"] : []
        case .repo, .pungiCompose: []
        }
    }

    /// Adds the source types of the configured systems to the sources of a worker.
    func addSystems(to sources: inout ComposeSources, httpClient: OutboundClient, threadPool: NIOThreadPool, logger: Logger) throws {
        if let pulp = systems.pulp {
            sources.add(
                try PulpSource(pulp, httpClient: httpClient, logger: logger), gpgcheck: composes.gpgcheck, threadPool: threadPool)
        }
        if let pungi = systems.pungi { sources.add(pungi, threadPool: threadPool) }
    }
}
