import Foundation
public import Koji
public import SystemPackage

/// The conversations with a real hub that were recorded: what it answered to which call.
///
/// A call is found by its meaning, not by its bytes: by name or by position, an argument that is the method's default is no argument.
public struct Recordings: Sendable {
    /// The files `NAME.request.xml` and `NAME.response.xml`.
    public static let directory = FilePath(#filePath).removingLastComponent().appending("Recordings")

    static let shared = Recordings()

    private let signatures: [String: Signature]
    private let answers: [Question: [UInt8]]
    private let methods: Set<String>
    /// The keys of the signatures of packages, by the packages' numbers, from the recorded listing that has
    /// them.
    private let keys: [Int: [String]]

    private init() {
        let text = (try? String(contentsOfFile: Self.directory.appending("API-SIGNATURES.txt").string, encoding: .utf8)) ?? ""
        let signatures = Dictionary(
            text.split(separator: "\n").compactMap { Signature(String($0)) }.map { ($0.method, $0) },
            uniquingKeysWith: { first, _ in first })
        var answers: [Question: [UInt8]] = [:]
        for name in Self.names where !name.hasPrefix("raw_") {
            guard let call = try? XMLRPCCall(parsing: Self.request(name)) else { continue }
            answers[Question(call, signatures[call.method])] = Self.response(name)
        }
        self.signatures = signatures
        self.answers = answers
        var keys: [Int: [String]] = [:]
        for row in (try? XMLRPCValue(parsing: Self.response("listTaggedRPMS_rpmsigs")))?.array?.first?.array ?? [] {
            if let id = row["id"]?.int, let key = row["sigkey"]?.string { keys[id, default: []].append(key) }
        }
        self.keys = keys
        methods = Set(signatures.keys).union(answers.keys.map(\.method)).subtracting(["noSuchMethod"])
    }

    /// What was recorded, by name: "getTag_unknown".
    public static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? [])
        .filter { $0.hasSuffix(".request.xml") }.map { String($0.dropLast(".request.xml".count)) }.sorted()

    public static func request(_ name: String) -> [UInt8] { bytes("\(name).request.xml") }
    public static func response(_ name: String) -> [UInt8] { bytes("\(name).response.xml") }

    private static func bytes(_ name: String) -> [UInt8] {
        FileManager.default.contents(atPath: directory.appending(name).string).map { [UInt8]($0) } ?? []
    }
}

extension Recordings {
    /// What the hub says to a call: the recorded answer, else what follows from the names that it does not know.
    /// - Returns: `nil` for a call that a real hub could answer but of which there is no recording.
    func reply(_ call: XMLRPCCall) -> Reply? {
        if let answer = answers[question(call)] { return .body(answer) }
        guard methods.contains(call.method) else { return .fault(1000, "Invalid method: \(call.method)") }
        if let complaint = signatures[call.method]?.complaint(call) { return .fault(1019, complaint) }
        if call.method == "queryRPMSigs", let id = question(call).first(of: signatures[call.method])?.int {
            return .value(.array(keys[id, default: []].map { ["rpm_id": .int(id), "sigkey": .string($0), "sighash": "00"] }))
        }
        return unknownName(in: call)
    }

    func question(_ call: XMLRPCCall) -> Question { Question(call, signatures[call.method]) }

    /// The tags of the recorded hub, by its log of events.
    private static let tags: Set<String> = [
        "f26", "f26-updates", "f26-updates-testing", "f26-candidate", "buildsys-extras", "f26-build", "f26-modular", "f26-modular-updates",
        "module-testmodule-master-20180405123256-c2c572ec", "empty-tag", "locked-tag", "gone-tag",
    ]

    private func unknownName(in call: XMLRPCCall) -> Reply? {
        guard case .string(let name)? = question(call).first(of: signatures[call.method]) else { return nil }
        let isStrict = call.keywords.contains(XMLRPCCall.Keyword("strict", true))
        switch call.method {
        case "getTag" where !Self.tags.contains(name) && !isStrict: return .value(.null)
        case "getTag" where !Self.tags.contains(name), "listTagged" where !Self.tags.contains(name),
            "listTaggedRPMS" where !Self.tags.contains(name):
            return .fault(1000, "No such tagInfo: '\(name)'")
        case "getFullInheritance" where !Self.tags.contains(name): return .fault(1000, "No such entry in table tag: \(name)")
        case "getBuild" where name.split(separator: "-").count < 3: return .fault(1000, "invalid format: \(name)")
        case "getBuild": return isStrict ? nil : .value(.null)
        case "listBuildRPMs": return .fault(1000, "No such build: '\(name)'")
        default: return nil
        }
    }
}

/// What a hub says to a call.
public enum Reply: Hashable, Sendable {
    case value(XMLRPCValue)
    case fault(Int, String)
    case body([UInt8])

    /// The document that says it.
    func document() throws -> [UInt8] {
        var writer = XMLRPCWriter()
        writer.raw("<?xml version='1.0'?>\n<methodResponse>\n")
        switch self {
        case .body(let bytes): return bytes
        case .value(let value):
            writer.raw("<params>\n<param>\n")
            try writer.value(value)
            writer.raw("</param>\n</params>\n")
        case .fault(let code, let text):
            writer.raw("<fault>\n")
            try writer.value(["faultCode": .int(code), "faultString": .string(text)])
            writer.raw("</fault>\n")
        }
        writer.raw("</methodResponse>\n")
        return writer.bytes
    }

    /// How it stands in the answer of a multiCall.
    func part() throws -> XMLRPCValue {
        switch self {
        case .value(let value): return [value]
        case .fault(let code, let text): return ["faultCode": .int(code), "faultString": .string(text)]
        case .body(let bytes):
            do {
                return [try XMLRPCValue(parsing: bytes)]
            } catch {
                guard let fault = KojiError.fault(in: error) else { throw error }
                return ["faultCode": .int(fault.code), "faultString": .string(fault.text)]
            }
        }
    }
}

/// A call by its meaning.
struct Question: Hashable, Sendable {
    let method: String
    private let named: [String: XMLRPCValue]
    private let others: [XMLRPCValue]

    init(_ call: XMLRPCCall, _ signature: Signature?) {
        method = call.method
        var named = Dictionary(call.keywords.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        if let signature, call.arguments.count <= signature.parameters.count {
            for (parameter, value) in zip(signature.parameters, call.arguments) { named[parameter.name] = value }
            for parameter in signature.parameters where named[parameter.name] == parameter.standard { named[parameter.name] = nil }
            others = []
        } else {
            others = call.arguments
        }
        self.named = named
    }

    /// The value of the method's first parameter.
    func first(of signature: Signature?) -> XMLRPCValue? { signature?.parameters.first.flatMap { named[$0.name] } }
}

/// The parameters of one of the hub's methods, from a line as `getTag(tagInfo, strict=False)`.
struct Signature: Sendable {
    struct Parameter: Sendable {
        let name: String
        /// `nil` when it has to be given.
        let standard: XMLRPCValue?
    }

    let method: String
    let parameters: [Parameter]
    private let takesOthers: Bool

    init?(_ line: String) {
        guard let open = line.firstIndex(of: "("), line.hasSuffix(")") else { return nil }
        method = String(line[..<open])
        let list = line[line.index(after: open)...].dropLast().split(separator: ",").map { $0.filter { $0 != " " } }
        takesOthers = list.contains { $0.hasPrefix("**") }
        parameters = list.filter { !$0.hasPrefix("**") }.map { text in
            let parts = text.split(separator: "=")
            let standard: XMLRPCValue? = parts.count < 2 ? nil : parts[1] == "True" ? true : parts[1] == "False" ? false : .null
            return Parameter(name: String(parts[0]), standard: standard)
        }
    }

    /// What the hub finds fault with in the arguments.
    func complaint(_ call: XMLRPCCall) -> String? {
        if call.arguments.count > parameters.count, !takesOthers {
            return "\(method)() takes \(parameters.count) positional arguments but \(call.arguments.count) were given"
        }
        let given = Set(parameters.prefix(call.arguments.count).map(\.name)).union(call.keywords.map(\.name))
        if let missing = parameters.first(where: { $0.standard == nil && !given.contains($0.name) }) {
            return "\(method)() missing 1 required positional argument: '\(missing.name)'"
        }
        if !takesOthers, let other = call.keywords.first(where: { keyword in !parameters.contains { $0.name == keyword.name } }) {
            return "\(method)() got an unexpected keyword argument '\(other.name)'"
        }
        return nil
    }
}
