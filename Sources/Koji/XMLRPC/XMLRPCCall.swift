/// A call of one of the hub's methods.
///
/// XML-RPC has positional arguments only. Koji passes keyword arguments as one last argument: a
/// structure that is marked by the member `__starstar`.
///
/// Example: `XMLRPCCall("getTag", "f26", keywords: [.init("event", 42)])`
public struct XMLRPCCall: Hashable, Sendable {
    /// The member that distinguishes a structure of keyword arguments from any other structure.
    static let keywordMark = "__starstar"

    public var method: String
    public var arguments: [XMLRPCValue]
    public var keywords: [Keyword]

    /// A keyword argument.
    public struct Keyword: Hashable, Sendable {
        public let name: String
        public let value: XMLRPCValue

        public init(_ name: String, _ value: XMLRPCValue) {
            self.name = name
            self.value = value
        }
    }

    public init(_ method: String, _ arguments: XMLRPCValue..., keywords: [Keyword] = []) {
        self.init(method, arguments, keywords: keywords)
    }

    public init(_ method: String, _ arguments: [XMLRPCValue], keywords: [Keyword] = []) {
        self.method = method
        self.arguments = arguments
        self.keywords = keywords
    }

    /// Returns this call with one more keyword argument. If `value` is `nil`, it adds no argument, and the
    /// hub uses its own default.
    func with(_ name: String, _ value: XMLRPCValue?) -> XMLRPCCall {
        guard let value else { return self }
        var call = self
        call.keywords.append(Keyword(name, value))
        return call
    }
}

extension XMLRPCCall {
    /// Returns the body of the request.
    ///
    /// - Throws: `.argument` for text that XML cannot carry, or a number that XML-RPC cannot write.
    package func encoded() throws(KojiError) -> [UInt8] {
        var writer = XMLRPCWriter()
        writer.raw("<?xml version='1.0'?>\n<methodCall>\n<methodName>")
        try writer.text(method)
        writer.raw("</methodName>\n<params>\n")
        for argument in arguments {
            writer.raw("<param>\n")
            try writer.value(argument)
            writer.raw("</param>\n")
        }
        if !keywords.isEmpty {
            writer.raw("<param>\n")
            try writer.keywords(keywords)
            writer.raw("</param>\n")
        }
        writer.raw("</params>\n</methodCall>\n")
        return writer.bytes
    }

    /// This call as a value, for a multiCall.
    var asValue: XMLRPCValue {
        var parameters = arguments
        if !keywords.isEmpty {
            var members = Dictionary(keywords.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            members[Self.keywordMark] = .bool(true)
            parameters.append(.structure(members))
        }
        return ["methodName": .string(method), "params": .array(parameters)]
    }
}
