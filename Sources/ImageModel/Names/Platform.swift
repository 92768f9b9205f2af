import ForeignText

/// A *platform* is `os/arch[/variant]`, for example `linux/arm/v7`.
///
/// Names are those of Go, as in OCI Image Index Specification, "platform", and normalised as containerd
/// does: equal platforms have equal values. Example: `aarch64`, `arm64` and `linux/arm64/v8` all are
/// `linux/arm64`.
public struct Platform: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let os: String
    public let architecture: String
    /// The variant of the architecture, for example `v7`. Nil if it is the usual one.
    public let variant: String?

    /// The platform of the host that this program was compiled for.
    public static let host = Platform(normalising: "linux", hostArchitecture, nil)

    /// Creates a platform from a text.
    ///
    /// - Parameter text: `os/arch[/variant]`, or a name of an architecture for Linux. Names of Debian and
    ///   RPM are accepted: `armhf` is `linux/arm/v7`, `ppc64el` is `linux/ppc64le`.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        let parts = text.utf8.prefix(200).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard (1...3).contains(parts.count), text.utf8.count < 200 else {
            throw ImageProblem(.badPlatform, "\(text.quoted) is not a platform, as linux/arm64 and linux/arm/v7 are.")
        }
        try self.init(
            os: parts.count == 1 ? "linux" : parts[0], architecture: parts[parts.count == 1 ? 0 : 1],
            variant: parts.count == 3 ? parts[2] : nil)
    }

    /// Throws ``ImageProblem`` if a part has other characters than letters, digits, `_` and `-`.
    public init(os: String, architecture: String, variant: String? = nil) throws(ImageProblem) {
        for part in [os, architecture] + (variant.map { [$0] } ?? []) where !Self.isPart(part) {
            throw ImageProblem(
                .badPlatform,
                "\(part.quoted) cannot be part of a platform. It must have 1 to 32 letters, digits, _ and -, as in linux/arm/v7.")
        }
        self.init(normalising: os, architecture, variant)
    }

    private init(normalising os: String, _ architecture: String, _ variant: String?) {
        let os = os.lowercased()
        self.os = os == "macos" ? "darwin" : os
        let variant = variant?.lowercased()
        switch (architecture.lowercased(), variant) {
        case ("armhf", _), ("armv7hl", _), ("armv7l", _): (self.architecture, self.variant) = ("arm", "v7")
        case ("armel", _): (self.architecture, self.variant) = ("arm", "v6")
        case ("arm", nil), ("arm", ""), ("arm", "7"): (self.architecture, self.variant) = ("arm", "v7")
        case ("arm", "5"), ("arm", "6"), ("arm", "8"): (self.architecture, self.variant) = ("arm", variant.map { "v\($0)" })
        case ("i386", _), ("i486", _), ("i586", _), ("i686", _): (self.architecture, self.variant) = ("386", nil)
        case ("arm64", "8"), ("arm64", "v8"), ("aarch64", "8"), ("aarch64", "v8"): (self.architecture, self.variant) = ("arm64", nil)
        case ("aarch64", _): (self.architecture, self.variant) = ("arm64", variant)
        case ("amd64", "v1"), ("x86_64", "v1"), ("x86-64", "v1"): (self.architecture, self.variant) = ("amd64", nil)
        case ("x86_64", _), ("x86-64", _): (self.architecture, self.variant) = ("amd64", variant)
        case ("ppc64el", _): (self.architecture, self.variant) = ("ppc64le", variant)
        case ("mips64el", _): (self.architecture, self.variant) = ("mips64le", variant)
        case ("mipsel", _): (self.architecture, self.variant) = ("mipsle", variant)
        case (let other, _): (self.architecture, self.variant) = (other, variant)
        }
    }

    /// For example `linux/arm/v7`.
    public var description: String { [os, architecture, variant].compactMap(\.self).joined(separator: "/") }

    /// The name of the architecture in Debian, for example `armhf`. Nil if Debian has none.
    public var debianArchitecture: String? {
        switch (architecture, variant) {
        case ("arm", "v7"), ("arm", "v8"): "armhf"
        case ("arm", "v5"), ("arm", "v6"): "armel"
        case ("386", nil): "i386"
        case ("ppc64le", nil): "ppc64el"
        case ("mips64le", nil): "mips64el"
        case ("amd64", _), ("arm64", _), ("s390x", nil), ("riscv64", nil): architecture
        default: nil
        }
    }

    /// The base architecture of RPM repositories for the platform, for example `aarch64`. Nil if the
    /// platform is not of Linux.
    public var rpmArchitecture: String? {
        guard os == "linux" else { return nil }
        return switch (architecture, variant) {
        case ("amd64", _): "x86_64"
        case ("arm64", _): "aarch64"
        case ("386", _): "i686"
        case ("arm", _): "armv7hl"
        default: architecture
        }
    }

    public static func < (a: Platform, b: Platform) -> Bool { a.description < b.description }

    private static func isPart(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count) && text.utf8.allSatisfy { $0.isLetterOrDigit || "_-".utf8.contains($0) }
    }

    private static var hostArchitecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #elseif arch(s390x)
            "s390x"
        #elseif arch(powerpc64le)
            "ppc64le"
        #elseif arch(riscv64)
            "riscv64"
        #elseif arch(arm)
            "arm"
        #else
            "386"
        #endif
    }
}

extension UInt8 {
    /// Whether the byte is an ASCII letter or digit.
    var isLetterOrDigit: Bool { isLowercaseOrDigit || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) }

    var isLowercaseOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}

/// The form of OCI Image Index Specification, "platform". A member that is empty counts as absent.
extension Platform: Codable {
    private enum Key: String, CodingKey { case os, architecture, variant }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let variant = try container.decodeIfPresent(String.self, forKey: .variant)
        let (os, architecture) = (
            try container.decode(String.self, forKey: .os), try container.decode(String.self, forKey: .architecture)
        )
        do throws(ImageProblem) {
            try self.init(os: os, architecture: architecture, variant: variant == "" ? nil : variant)
        } catch {
            throw DecodingError.dataCorrupted(DecodingError.Context(codingPath: decoder.codingPath, debugDescription: error.description))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(os, forKey: .os)
        try container.encode(architecture, forKey: .architecture)
        try container.encodeIfPresent(variant, forKey: .variant)
    }
}
