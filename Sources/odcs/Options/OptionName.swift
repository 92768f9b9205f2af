import ArgumentParser
import ComposeModel

/// An option name is the name of one option of a set in the API's contract. A hyphen counts as an
/// underscore. Example: `no-deps` is `no_deps`.
struct OptionName<Options: NamedOptions>: ExpressibleByArgument {
    let name: String

    init?(argument: String) {
        let name = argument.replacing("-", with: "_")
        guard Self.allValueStrings.contains(name) else { return nil }
        self.name = name
    }

    static var allValueStrings: [String] { Options.names.map(\.name) }
}
