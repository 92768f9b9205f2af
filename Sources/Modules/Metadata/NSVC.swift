/// The identity of one build of a module: name, stream, version and context.
public struct NSVC: Hashable, Sendable, Codable {
    public let name: String
    public let stream: String
    /// The version. By convention it is the time of the build, as YYYYMMDDhhmmss.
    public let version: UInt64
    /// Distinguishes builds of one version that were built against different dependencies. It consists of
    /// eight hexadecimal digits, or is a word that the packager chose.
    public let context: String

    public init(name: String, stream: String, version: UInt64, context: String) {
        self.name = name
        self.stream = stream
        self.version = version
        self.context = context
    }

    /// `NAME:STREAM`
    public var nameAndStream: String { "\(name):\(stream)" }

    /// The name of the build in Koji. A dash in the stream becomes an underscore, because dashes separate
    /// the parts of a build's name.
    public var kojiBuild: String { "\(name)-\(stream.replacing("-", with: "_"))-\(version).\(context)" }
}

extension NSVC: LosslessStringConvertible {
    /// `NAME:STREAM:VERSION:CONTEXT`
    public var description: String { "\(name):\(stream):\(version):\(context)" }

    public init?(_ description: String) {
        let reference = ModuleReference(description)
        guard let reference, let version = reference.version, let context = reference.context else { return nil }
        self.init(name: reference.name, stream: reference.stream, version: version, context: context)
    }
}

extension NSVC: Comparable {
    public static func < (a: NSVC, b: NSVC) -> Bool {
        (a.name, a.stream, a.version, a.context) < (b.name, b.stream, b.version, b.context)
    }
}
