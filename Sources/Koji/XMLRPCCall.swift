/// A call of one of the hub's methods.
///
/// XML-RPC has positional arguments only. Koji passes keyword arguments as a last one: a structure that says with the member `__starstar` what it is.
public struct XMLRPCCall: Hashable, Sendable {
    /// The member that tells a structure of keyword arguments from any other.
    static let keywordMark = "__starstar"

    public var method: String
    public var arguments: [XMLRPCValue]
    public var keywords: [Keyword]

    /// One argument with its name.
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

    /// This call with one more keyword argument; without it when `value` is `nil`, as then the hub's own default holds.
    func with(_ name: String, _ value: XMLRPCValue?) -> XMLRPCCall {
        guard let value else { return self }
        var call = self
        call.keywords.append(Keyword(name, value))
        return call
    }
}

extension XMLRPCCall {
    /// The body of the request.
    /// - Throws: `.argument` for text that XML cannot carry.
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

    /// This call as a value: what a multiCall is made of.
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
