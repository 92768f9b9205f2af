import ComposeModel
import Foundation

/// Pungi inputs are the values of a request that Pungi gets in addition to the configuration itself.
struct PungiInputs: Hashable, Sendable {
    let compose: Int
    /// The name of the configuration.
    let source: String
    let kojiEvent: Int?
    let sigkeys: [String]
    let builds: [String]
    let modules: [String]
    let arches: [String]
    let label: String?
    let hasNoLabel: Bool
    /// The type of the compose. It is `test` if the request names no type.
    let type: String
    let parents: [String]
    let respinOf: String?
    let owner: String

    /// - Parameters:
    ///   - source: The name of the configuration.
    ///   - kojiEvent: The event of the request, or the event that it was pinned to.
    init(_ compose: Compose, source: String, kojiEvent: Int?) {
        let request = compose.request
        self.compose = compose.id
        self.source = source
        self.kojiEvent = kojiEvent
        sigkeys = request.sigkeys
        builds = request.builds
        modules = request.modules
        arches = request.arches
        label = request.label
        hasNoLabel = request.flags.contains(.noLabel)
        type = request.composeType ?? "test"
        parents = request.parentPungiComposeIDs
        respinOf = request.respinOf
        owner = compose.owner
    }

    /// Returns the options of pungi-koji for all inputs that have an option. Every value is in one word
    /// with its option. Example: `--label=RC-1.0`.
    ///
    /// - Parameter configured: Arguments from the service's configuration. If a type of compose is among
    ///   them, the type of the inputs is not added.
    func arguments(_ configured: [String]) -> [String] {
        let types = ["test", "ci", "nightly", "production", "development"].map { "--\($0)" }
        var arguments = configured
        if !configured.contains(where: types.contains) {
            // An unknown type becomes `test`, the type that does no harm.
            arguments.append(types.contains("--\(type)") ? "--\(type)" : "--test")
        }
        if let label { arguments.append("--label=\(label)") }
        if hasNoLabel { arguments.append("--no-label") }
        arguments += parents.map { "--parent-compose-id=\($0)" }
        if let respinOf { arguments.append("--respin-of=\(respinOf)") }
        if let kojiEvent { arguments.append("--koji-event=\(kojiEvent)") }
        return arguments
    }

    /// The inputs as environment variables, for a wrapper and for other programs that Pungi runs.
    var variables: [String: String] {
        var variables = [
            "ODCS_COMPOSE_ID": "\(compose)", "ODCS_RAW_CONFIG_SOURCE_NAME": source, "ODCS_SIGKEYS": sigkeys.joined(separator: " "),
            "ODCS_BUILDS": builds.joined(separator: " "), "ODCS_MODULES": modules.joined(separator: " "),
            "ODCS_ARCHES": arches.joined(separator: " "), "ODCS_COMPOSE_TYPE": type,
        ]
        if let label { variables["ODCS_LABEL"] = label }
        if let kojiEvent { variables["ODCS_KOJI_EVENT"] = "\(kojiEvent)" }
        return variables
    }

    /// The values that a wrapper may name as `compose.NAME`, by the names of the HTTP contract.
    var members: [String: String] {
        [
            "id": "\(compose)", "owner": owner, "source": source, "koji_event": kojiEvent.map { "\($0)" } ?? "",
            "sigkeys": sigkeys.joined(separator: " "), "builds": builds.joined(separator: " "), "modules": modules.joined(separator: " "),
            "arches": arches.joined(separator: " "), "label": label ?? "", "compose_type": type,
            "parent_pungi_compose_ids": parents.joined(separator: " "), "respin_of": respinOf ?? "",
        ]
    }
}
