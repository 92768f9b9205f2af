/// A *rebuild selection* is the part of a rebuild's request that chooses among images and packages.
public struct RebuildSelection: Hashable, Sendable, Codable {
    /// Patterns for the names of images, in which `*` and `?` stand for other characters. Example:
    /// `team/web-*`. Empty: all images.
    public var images: [String]
    /// Patterns for the names of images that are left out.
    public var excluding: [String]
    /// Packages of the compose, each by its name or as `NAME-[EPOCH:]VERSION-RELEASE[.ARCH]`. Empty: all of
    /// them.
    public var packages: [String]
    /// Whether images whose packages are not known are built too.
    public var includesUnknown: Bool

    public init(images: [String] = [], excluding: [String] = [], packages: [String] = [], includesUnknown: Bool = false) {
        self.images = images
        self.excluding = excluding
        self.packages = packages
        self.includesUnknown = includesUnknown
    }

    enum CodingKeys: String, CodingKey { case images, excluding, packages, includesUnknown }

    /// A member that is absent has its default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            images: try container.decodeIfPresent([String].self, forKey: .images) ?? [],
            excluding: try container.decodeIfPresent([String].self, forKey: .excluding) ?? [],
            packages: try container.decodeIfPresent([String].self, forKey: .packages) ?? [],
            includesUnknown: try container.decodeIfPresent(Bool.self, forKey: .includesUnknown) ?? false)
    }

    /// Whether the selection leaves the image out.
    public func leavesOut(_ repository: ImageRepository) -> Bool {
        func matches(_ patterns: [String]) -> Bool {
            patterns.contains { Self.matches($0, repository.path) || Self.matches($0, repository.description) }
        }
        return !images.isEmpty && !matches(images) || matches(excluding)
    }

    /// Returns the patterns of ``packages`` that name this package.
    public func names(of package: InstalledPackage) -> [String] {
        let evr = package.evr
        let forms = [
            package.name, "\(package.name)-\(evr.version)-\(evr.release)", "\(package.name)-\(evr.epoch):\(evr.version)-\(evr.release)",
        ]
        return packages.filter { name in forms.contains { name == $0 || name == "\($0).\(package.arch)" } }
    }

    /// Whether a text matches a pattern. Takes time in proportion to the product of their lengths.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let (pattern, text) = (Array(pattern.utf8), Array(text.utf8))
        var (p, t) = (0, 0)
        /// The last star, and the place in the text at which the rest after it was tried last.
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == UInt8(ascii: "?") || pattern[p] == text[t] {
                (p, t) = (p + 1, t + 1)
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                (p, t) = (last.pattern + 1, last.text + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
