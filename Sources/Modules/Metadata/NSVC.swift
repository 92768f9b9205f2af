/// What names one build of a module: name, stream, version and context.
public struct NSVC: Hashable, Sendable, Codable {
    public let name: String
    public let stream: String
    /// By convention the time at which it was built, as YYYYMMDDhhmmss.
    public let version: UInt64
    /// Tells builds of one version apart that were built against different dependencies: eight hexadecimal digits, or a word of a packager's choice.
    public let context: String

    public init(name: String, stream: String, version: UInt64, context: String) {
        self.name = name
        self.stream = stream
        self.version = version
        self.context = context
    }

    /// `NAME:STREAM`
    public var nameAndStream: String { "\(name):\(stream)" }

    /// The build as Koji has it: a dash in a stream is an underscore there, since dashes separate the parts of a build's name.
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
