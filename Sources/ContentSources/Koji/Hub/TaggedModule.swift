import Koji

/// A build of a module as Koji lists it, with the ids that its name gives.
struct TaggedModule: Hashable, Sendable {
    /// The part of a build's name that distinguishes streams.
    struct Stream: Hashable, Sendable {
        let module: String
        /// The stream's name in Koji, in which each dash of the stream becomes an underscore. Example: `rhel_8`
        /// for `rhel-8` or `rhel_8`.
        let name: String

        /// Whether only the build's own data shows the true name of the stream.
        var isAmbiguous: Bool { name.contains("_") }

        static func kojiName(of stream: String) -> String { stream.replacing("-", with: "_") }
    }

    let buildID: Int
    let stream: Stream
    let version: UInt64
    let context: String
    /// The tag that has the build.
    let tagID: Int?

    /// Returns `nil` for a build whose release is not the version and context of a module.
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
