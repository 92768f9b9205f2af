public import ArgumentParser
public import ComposeModel

extension SourceType: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument.replacing("-", with: "_")) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension ComposeState: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension Delivery: ExpressibleByArgument {}
