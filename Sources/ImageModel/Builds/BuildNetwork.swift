/// The network that a RUN instruction reaches while an image is built.
public enum BuildNetwork: String, Hashable, Sendable, Codable, CaseIterable {
    /// Only a loopback interface of the build's own.
    case none
    /// All that the host reaches, including its loopback interface.
    case host
}
