import ArgumentParser
import ComposeModel

/// The name of one bit of a set, as the contract writes it; a hyphen counts as an underscore.
struct OptionName<Options: NamedOptions>: ExpressibleByArgument {
    let name: String

    init?(argument: String) {
        let name = argument.replacing("-", with: "_")
        guard Self.allValueStrings.contains(name) else { return nil }
        self.name = name
    }

    static var allValueStrings: [String] { Options.names.map(\.name) }
}
