public import Foundation

/// A *published tag* is a tag of an image with the digest that it showed when this service last wrote
/// it or looked at it.
public struct PublishedTag: Hashable, Sendable {
    public let tag: ImageTag
    public let digest: ImageDigest
    /// The build that wrote the tag. Nil if another program did.
    public let build: Int?
    public let timeSeen: Date

    public init(tag: ImageTag, digest: ImageDigest, build: Int?, timeSeen: Date) {
        self.tag = tag
        self.digest = digest
        self.build = build
        self.timeSeen = timeSeen
    }
}
