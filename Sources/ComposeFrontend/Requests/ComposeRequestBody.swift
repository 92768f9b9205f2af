import ComposeModel

/// The body of a POST: every member that this service knows, with its type checked. Its meaning is
/// checked later, by ``RequestValidator``. Unknown members are ignored.
@dynamicMemberLookup
struct ComposeRequestBody: Sendable {
    private(set) var submission = ComposeSubmission(source: .init())
    private(set) var secondsToLive: [SecondsToLive]
    /// The prefix of the members of `source` in messages. It is empty for the first published form (0.0.1),
    /// which has these members at the top level.
    private(set) var sourcePrefix = "source."
    /// Whether modules may have dashes in the place of colons, as in the first published form.
    private(set) var allowsDashedModules = false

    var sourceType: String? { submission.source.type }
    var source: String? { submission.source.source }

    subscript<Value>(dynamicMember member: KeyPath<ComposeSubmission, Value>) -> Value { submission[keyPath: member] }
    subscript<Value>(dynamicMember member: KeyPath<ComposeSubmission.Source, Value>) -> Value { submission.source[keyPath: member] }

    init(_ json: JSONValue) throws(RequestRejection) {
        let body = try BodyField(root: json)
        try body.checkCharacters()
        guard let source = try body.object("source") else {
            throw .badRequest("source is missing; it must be an object such as {\"type\": \"repo\", \"source\": \"https://…\"}.")
        }
        var sourceReader = SubmissionReader(body: source)
        try submission.source.visit(&sourceReader)
        var reader = SubmissionReader(body: body)
        try submission.visit(&reader)
        secondsToLive = reader.secondsToLive
        submission.secondsToLive = secondsToLive.first?.seconds
    }

    /// Creates the body of a request that was sent before.
    init(_ submission: ComposeSubmission) {
        self.submission = submission
        secondsToLive = submission.secondsToLive.map { [SecondsToLive(name: "seconds_to_live", seconds: $0)] } ?? []
    }

    /// Creates the body of a request for builds of Koji, without other packages. Messages call the list
    /// `builds`.
    init(builds: [String], arches: [String]) {
        sourcePrefix = ""
        submission.source.type = SourceType.build.name
        submission.source.builds = builds
        submission.arches = arches
        submission.flags = ["no_deps"]
        secondsToLive = []
    }

    /// Creates the body from the first published form (0.0.1), or from the form of later versions, which
    /// had the same address. In the later form `source` is an object. Both name modules with dashes.
    init(legacy json: JSONValue) throws(RequestRejection) {
        let body = try BodyField(root: json)
        if case .object? = body.member("source")?.value {
            for name in ["source_type", "packages", "sigkeys"] where body.member(name) != nil {
                throw .badRequest(
                    "\(name) cannot be beside a source that is an object. Move it into source\(name == "source_type" ? ", as type" : "").")
            }
            try self.init(json)
        } else {
            try self.init(first: body)
        }
        allowsDashedModules = true
    }

    /// The first published form has the members of `source` at the top level, and fewer of them.
    private init(first body: BodyField) throws(RequestRejection) {
        try body.checkCharacters()
        sourcePrefix = ""
        submission.source.type = try body.string("source_type")
        submission.source.source = try body.string("source")
        submission.source.packages = try body.strings("packages")
        submission.source.sigkeys = try body.strings("sigkeys")
        secondsToLive = try SecondsToLive.all(in: body)
        submission.flags = try body.strings("flags")
    }
}

/// A submission reader reads the members of a submission from a body.
private struct SubmissionReader: SubmissionVisitor {
    let body: BodyField
    private(set) var secondsToLive: [SecondsToLive] = []

    init(body: BodyField) {
        self.body = body
    }

    func member(_ name: String, _ value: inout String?) throws(RequestRejection) { value = try body.string(name) }
    func member(_ name: String, _ value: inout [String]?) throws(RequestRejection) { value = try body.strings(name) }
    func member(_ name: String, _ value: inout Int?) throws(RequestRejection) { value = try body.integer(name) }
    func member(_ name: String, _ value: inout Bool?) throws(RequestRejection) { value = try body.boolean(name) }
    mutating func secondsToLive(_ value: inout Int?) throws(RequestRejection) { secondsToLive = try SecondsToLive.all(in: body) }
}

/// The body of a PATCH. An absent body counts as an empty object.
struct RenewalBody: Sendable {
    var secondsToLive: [SecondsToLive] = []
    var label: String?
    var sigkeys: [String]?
    var builds: [String]?
    var modules: [String]?

    init(secondsToLive: [SecondsToLive]) {
        self.secondsToLive = secondsToLive
    }

    init(_ json: JSONValue) throws(RequestRejection) {
        let body = try BodyField(root: json)
        try body.checkCharacters()
        secondsToLive = try SecondsToLive.all(in: body)
        label = try body.string("label")
        sigkeys = try body.strings("sigkeys")
        let source = try body.object("source")
        builds = try source?.strings("builds")
        modules = try source?.strings("modules")
    }
}

/// A time to live in a request. It is a number of seconds. Older clients send its digits in a string.
/// Examples: `86400`, `"86400"`.
struct SecondsToLive: Hashable, Sendable {
    /// The name of the member: `seconds_to_live`, or the older `seconds-to-live`.
    let name: String
    let seconds: Int

    /// Returns the times to live under both names, in that order. The first one counts.
    static func all(in body: BodyField) throws(RequestRejection) -> [SecondsToLive] {
        var all: [SecondsToLive] = []
        for field in [body.member("seconds_to_live"), body.member("seconds-to-live")].compactMap(\.self) { all.append(try Self(field)) }
        return all
    }

    init(name: String, seconds: Int) {
        self.name = name
        self.seconds = seconds
    }

    private init(_ field: BodyField) throws(RequestRejection) {
        name = field.name
        switch field.value {
        case .integer(let integer): seconds = integer
        case .number(let number) where abs(number) > Double(Int32.max): seconds = number > 0 ? .max : .min
        case .string(let digits):
            guard digits.wholeMatch(of: /-?[0-9]+/) != nil else { throw field.mustBe("an integer") }
            seconds = Int(digits) ?? (digits.first == "-" ? .min : .max)
        default: throw field.mustBe("an integer")
        }
    }
}
