/// A *requirement* is a condition without which an image cannot be built on a node.
public enum Requirement: Hashable, Sendable {
    /// A label of the node, for example `host=rhel`.
    case label(name: String, value: String)
    /// A parameter that must have a value. A switch must be `Y`.
    case parameter(String)
}
