/// The body of a POST: every member that this service knows, with its type checked. Its meaning is
/// checked later, by ``RequestValidator``. Unknown members are ignored.
struct ComposeRequestBody: Sendable {
    var sourceType: String?
    var source: String?
    var packages: [String]?
    var builds: [String]?
    var sigkeys: [String]?
    var kojiEvent: Int?
    var modularKojiTags: [String]?
    var moduleDefaultsURL: String?
    var moduleDefaultsCommit: String?
    var scratchModules: [String]?
    var scratchBuildTasks: [String]?
    var modules: [String]?
    var baseModuleBrName: String?
    var baseModuleBrStream: String?
    var baseModuleBrStreamVersionLTE: Int?
    var baseModuleBrStreamVersionGTE: Int?
    var secondsToLive: [SecondsToLive] = []
    var flags: [String]?
    var results: [String]?
    var arches: [String]?
    var multilibArches: [String]?
    var multilibMethod: [String]?
    var lookasideRepos: [String]?
    var label: String?
    var composeType: String?
    var targetDir: String?
    var parentPungiComposeIDs: [String]?
    var respinOf: String?
    var delivery: String?
    var onUnsigned: String?
    var unsignedWaitSeconds: Int?
    var moduleHotfixes: Bool?
    /// The prefix of the members of `source` in messages. It is empty for the first published form (0.0.1),
    /// which has these members at the top level.
    var sourcePrefix = "source."

    init(_ json: JSONValue) throws(RequestRejection) {
        let body = try BodyField(root: json)
        try body.checkCharacters()
        guard let source = try body.object("source") else {
            throw .badRequest("source is missing; it must be an object such as {\"type\": \"repo\", \"source\": \"https://…\"}.")
        }
        sourceType = try source.string("type")
        self.source = try source.string("source")
        packages = try source.strings("packages")
        builds = try source.strings("builds")
        sigkeys = try source.strings("sigkeys")
        kojiEvent = try source.integer("koji_event")
        modularKojiTags = try source.strings("modular_koji_tags")
        moduleDefaultsURL = try source.string("module_defaults_url")
        moduleDefaultsCommit = try source.string("module_defaults_commit")
        scratchModules = try source.strings("scratch_modules")
        scratchBuildTasks = try source.strings("scratch_build_tasks")
        modules = try source.strings("modules")
        baseModuleBrName = try source.string("base_module_br_name")
        baseModuleBrStream = try source.string("base_module_br_stream")
        baseModuleBrStreamVersionLTE = try source.integer("base_module_br_stream_version_lte")
        baseModuleBrStreamVersionGTE = try source.integer("base_module_br_stream_version_gte")
        secondsToLive = try SecondsToLive.all(in: body)
        flags = try body.strings("flags")
        results = try body.strings("results")
        arches = try body.strings("arches")
        multilibArches = try body.strings("multilib_arches")
        multilibMethod = try body.strings("multilib_method")
        lookasideRepos = try body.strings("lookaside_repos")
        label = try body.string("label")
        composeType = try body.string("compose_type")
        targetDir = try body.string("target_dir")
        parentPungiComposeIDs = try body.strings("parent_pungi_compose_ids")
        respinOf = try body.string("respin_of")
        delivery = try body.string("delivery")
        onUnsigned = try body.string("on_unsigned")
        unsignedWaitSeconds = try body.integer("unsigned_wait_seconds")
        moduleHotfixes = try body.boolean("module_hotfixes")
    }

    /// Creates the body from the first published form (0.0.1). That form has the members of `source` at the
    /// top level, and fewer of them.
    init(legacy json: JSONValue) throws(RequestRejection) {
        let body = try BodyField(root: json)
        try body.checkCharacters()
        sourcePrefix = ""
        sourceType = try body.string("source_type")
        source = try body.string("source")
        packages = try body.strings("packages")
        sigkeys = try body.strings("sigkeys")
        secondsToLive = try SecondsToLive.all(in: body)
        flags = try body.strings("flags")
    }
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
