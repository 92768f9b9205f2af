/// *Image tags* are patterns of tags. `{date}` stands for the date of the build, `{platform}` for the
/// platform.
public struct ImageTags: Hashable, Sendable {
    /// The tag of one platform's image, for example `image-linux-amd64-20261129`.
    public let platform: String
    /// The tags of the manifest list. The tag `latest` comes last.
    public let final: [String]

    public static let latest = "latest"

    public init(platform: String = "image-{platform}-{date}", final: [String] = ["{date}", latest]) {
        self.platform = platform
        self.final = final.filter { $0 != Self.latest } + final.filter { $0 == Self.latest }
    }

    /// Returns a pattern with its placeholders replaced.
    static func text(_ pattern: String, date: String, platform: String = "") -> String {
        pattern.replacing("{date}", with: date).replacing("{platform}", with: platform)
    }
}
