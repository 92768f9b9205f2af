import ArgumentParser
import ServiceConfiguration

/// A process role is the work of one process of the service. Each role needs keys that the others can
/// do without.
enum ProcessRole: String, CaseIterable, ExpressibleByArgument {
    /// A frontend and a worker in one process.
    case run
    case frontend
    case worker
    /// A worker that builds images, as the unit `odcs-builder` starts it.
    case builder
    /// The program `odcs-publisher`.
    case publisher

    /// Checks that the configuration has what the role needs.
    ///
    /// - Parameter file: The configuration file. `nil` if the process has no file.
    /// - Throws: ``ConfigurationError``.
    func check(_ configuration: ServerConfiguration, file: String?) throws {
        func mistake(_ key: String, _ message: String) -> ConfigurationError {
            ConfigurationError(file: file ?? "the defaults", line: nil, key: key, message: message)
        }
        switch self {
        case .run, .frontend: break
        case .worker, .builder:
            guard configuration.frontend.publicURL != nil || configuration.composes.targets.values.allSatisfy({ $0.url != nil }) else {
                throw mistake(
                    "frontend.public_url",
                    "a worker on its own must know where composes are served: it writes the addresses into their .repo files")
            }
            guard self == .builder else { break }
            guard configuration.images.registry != nil else {
                throw mistake("images.registry", "is not set: a builder must know the registry that images are pushed to")
            }
            guard configuration.images.isBuildingHere else {
                throw mistake("images.slots", "and images.node_slots are 0: a builder needs one of them")
            }
        case .publisher: _ = try PublisherConfiguration.load(file)
        }
    }
}
