import Yams

/// A setting of the environment is a variable that has the value of one configuration key. It takes
/// precedence over the configuration file.
///
/// The name is `ODCS_` and the key in capitals, with `__` in the place of each dot. Examples:
/// `ODCS_DATABASE__URL` for `database.url`, `ODCS_STATE_DIRECTORY` for `state_directory`. A value that
/// begins with `[` or `{` is YAML. Every other value is the text itself, so that a password needs no
/// quotes.
struct EnvironmentSetting {
    let variable: String
    /// The sections and the key. Example: `["database", "url"]`.
    let words: [String]
    let value: Node

    /// The key with its sections. Example: `database.url`.
    var key: String { words.joined(separator: ".") }

    /// The error for a variable whose value begins like YAML, but cannot be read as YAML.
    struct NotYAML: Error {
        let variable: String
    }

    private static let prefix = "ODCS_"
    /// The keys without a section. The client's own variables have no `__`, so only these are settings.
    private static let keysWithoutSection = ["state_directory"]

    /// Returns the settings in the order of their names. A variable for a whole section therefore comes
    /// before those for keys of the section. Empty variables count as absent.
    static func all(in environment: [String: String]) throws(NotYAML) -> [EnvironmentSetting] {
        var settings: [EnvironmentSetting] = []
        for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(prefix) && !text.isEmpty {
            let key = variable.dropFirst(prefix.count).lowercased()
            guard key.contains("__") || keysWithoutSection.contains(key) else { continue }
            settings.append(
                EnvironmentSetting(
                    variable: variable, words: key.split(separator: "__").map(String.init), value: try value(text, of: variable)))
        }
        return settings
    }

    private static func value(_ text: String, of variable: String) throws(NotYAML) -> Node {
        guard text.hasPrefix("[") || text.hasPrefix("{") else { return Node(text) }
        do {
            guard let node = try Yams.compose(yaml: text) else { throw NotYAML(variable: variable) }
            return node
        } catch {
            throw NotYAML(variable: variable)
        }
    }
}
