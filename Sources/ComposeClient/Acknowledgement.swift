/// The service's word that it will do what it was asked.
public struct Acknowledgement: Hashable, Sendable, Codable {
    public var status: Int
    public var message: String
}
