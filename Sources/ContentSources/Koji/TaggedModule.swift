import Koji

/// A build of a module as Koji lists it.
struct TaggedModule: Hashable, Sendable {
    /// What tells streams apart in a build's name.
    struct Stream: Hashable, Sendable {
        let module: String
        /// With an underscore where the stream has a dash, or an underscore.
        let name: String

        /// Whether only the build's own data tell what the stream's name is.
        var isAmbiguous: Bool { name.contains("_") }

        static func kojiName(of stream: String) -> String { stream.replacing("-", with: "_") }
    }

    let buildID: Int
    let stream: Stream
    let version: UInt64
    let context: String
    /// The tag that it was found in.
    let tagID: Int?

    /// `nil` for a build whose release is not the version and context of a module.
    init?(_ build: KojiBuild) {
        let parts = build.release.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let version = UInt64(parts[0]), !build.isDraft else { return nil }
        buildID = build.buildID
        stream = Stream(module: build.name, name: build.version)
        self.version = version
        context = String(parts[1])
        tagID = build.tagID
    }
}
