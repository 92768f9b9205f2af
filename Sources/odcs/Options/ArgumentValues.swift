public import ArgumentParser
public import ComposeModel
public import ImageModel

extension SourceType: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument.replacing("-", with: "_")) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension ComposeState: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension Delivery: ExpressibleByArgument {}

extension BuildState: ExpressibleByArgument {
    public init?(argument: String) {
        guard let state = Self.allCases.first(where: { $0.name == argument }) else { return nil }
        self = state
    }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}
