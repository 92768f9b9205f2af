/// An acknowledgement is the service's answer that it will do what the client asked for.
public struct Acknowledgement: Hashable, Sendable, Codable {
    public var status: Int
    public var message: String
}
