/// A *rebuild problem* is the reason why no plan can be made, in whole sentences.
public struct RebuildProblem: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
