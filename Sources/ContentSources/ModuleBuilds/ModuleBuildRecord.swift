import ComposeModel
import Modules

/// A *record* is a build of a module as the Module Build Service lists it.
struct ModuleBuildRecord: Decodable, Sendable {
    /// The states of a build, as numbers of the service.
    enum State {
        /// `done`: the build is complete but not yet released. `ready`: it is released.
        static let done = 3, ready = 5
    }

    struct Base: Decodable, Sendable {
        let name: String
        let stream: String
        /// The stream as a number, with a fraction for some streams. `nil` if the base module's stream has no
        /// number in it.
        let streamVersion: Double?

        enum CodingKeys: String, CodingKey {
            case name, stream
            case streamVersion = "stream_version"
        }
    }

    let number: Int
    let id: NSVC
    let state: Int
    let stateName: String
    let stateReason: String?
    let isScratch: Bool
    let kojiTag: String?
    /// The modulemd document as YAML. It exists only if the list was requested with `verbose`, and is empty
    /// before the build begins.
    let document: String?
    /// The base modules of the build. They exist only if the list was requested with `verbose`, and if the
    /// service's version supports them.
    let bases: [ModuleBuild.Base]?

    enum CodingKeys: String, CodingKey {
        case id, name, stream, version, context, state, scratch, modulemd
        case stateName = "state_name"
        case stateReason = "state_reason"
        case kojiTag = "koji_tag"
        case bases = "base_module_buildrequires"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        number = try container.decode(Int.self, forKey: .id)
        let written = try container.decode(String.self, forKey: .version)
        guard let version = UInt64(written) else {
            throw DecodingError.dataCorruptedError(forKey: .version, in: container, debugDescription: "it is no whole number")
        }
        id = NSVC(
            name: try container.decode(String.self, forKey: .name), stream: try container.decode(String.self, forKey: .stream),
            version: version, context: try container.decode(String.self, forKey: .context))
        state = try container.decode(Int.self, forKey: .state)
        stateName = try container.decodeIfPresent(String.self, forKey: .stateName) ?? "\(state)"
        stateReason = try container.decodeIfPresent(String.self, forKey: .stateReason)
        isScratch = try container.decodeIfPresent(Bool.self, forKey: .scratch) ?? false
        kojiTag = try container.decodeIfPresent(String.self, forKey: .kojiTag).flatMap { $0.isEmpty ? nil : $0 }
        document = try container.decodeIfPresent(String.self, forKey: .modulemd)
        bases = try container.decodeIfPresent([Base].self, forKey: .bases)?.map {
            ModuleBuild.Base(name: $0.name, stream: $0.stream, streamVersion: $0.streamVersion)
        }
    }
}
