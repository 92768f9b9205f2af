import ComposeModel
import ForeignText
import Foundation
import Hummingbird
import Identity

/// The form that asks for a compose like another one, with changes.
struct AskAgainPages: Sendable {
    let pages: WebPages
    let composes: ComposeController

    var resources: [Resource] {
        [
            Resource(
                "/compose/{id}/again", [.get: .personalPage(.createCompose, show), .post: .form(.createCompose, submit)])
        ]
    }

    private func show(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let compose = try await composes.compose(try context.composeID(), for: grant.identity)
        let form = AskAgainForm(compose)
        return response(form, compose, request, context, refusal: nil)
    }

    private func submit(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let compose = try await composes.compose(try context.composeID(), for: grant.identity)
        let filled = AskAgainForm(compose, changedBy: form)
        do {
            let json = try JSONValue(parsing: JSONEncoder().encode(try filled.submission(like: compose.request)))
            let asked = try composes.validator.request(ComposeRequestBody(json))
            _ = try await composes.submit(asked, by: grant, request, context)
        } catch let rejection as RequestRejection where rejection.status == .badRequest {
            return response(filled, compose, request, context, refusal: rejection)
        }
        return pages.redirect(to: "/compose/\(context.subject.composeID ?? compose.id)")
    }

    private func response(
        _ form: AskAgainForm, _ compose: Compose, _ request: Request, _ context: FrontendContext, refusal: RequestRejection?
    ) -> Response {
        let site = pages.site(request, context)
        let page = AskAgainPage(form, compose, form: site.form("/compose/\(compose.id)/again"), refusal: refusal?.message)
        return pages.response(
            "ask-again", title: "Ask again like compose \(compose.id)", page: page, request, context, site: site,
            status: refusal?.status ?? .ok)
    }
}

/// The values of the form. Each is the text that the person sees.
struct AskAgainForm: Sendable {
    /// The longest list that the form shows, in words and in bytes. A longer list stays as it is. A form
    /// may have 64 KiB, in which the ends of lines and some characters have several times their length.
    private static let (mostWords, mostBytes) = (1000, 16_000)

    var source: String
    /// `nil` for a list that stays as it is.
    var packages, builds: String?
    var arches: String
    /// The signing keys, without the empty one. `nil` for a source whose packages are chosen without keys.
    var sigkeys: String?
    var allowsUnsigned: Bool
    var hours: String
    var label: String
    var flags: [String]

    init(_ compose: Compose) {
        let request = compose.request
        source = request.source.joined(separator: " ")
        packages = Self.text(of: request.packages)
        let hasBuilds = [.tag, .build].contains(request.sourceType)
        builds = hasBuilds ? Self.text(of: request.builds) : nil
        arches = request.arches.joined(separator: " ")
        sigkeys = request.sourceType.traits.hasKojiFiles ? request.sigkeys.filter { !$0.isEmpty }.joined(separator: " ") : nil
        allowsUnsigned = request.sigkeys.contains("")
        hours = "\(max(1, request.secondsToLive / 3600))"
        label = request.label ?? ""
        flags = request.flags.names
    }

    /// Creates the form as a person has sent it. A field that it lacks stays as it is.
    init(_ compose: Compose, changedBy form: SentForm) {
        self.init(compose)
        source = form.text("source") ?? source
        if packages != nil { packages = form.text("packages") ?? packages }
        if builds != nil { builds = form.text("builds") ?? builds }
        arches = form.text("arches") ?? arches
        if sigkeys != nil { sigkeys = form.text("sigkeys") ?? sigkeys }
        allowsUnsigned = form.text("unsigned") != nil
        hours = form.text("hours") ?? hours
        label = form.text("label") ?? label
        flags = form.all("flags")
    }

    private static func text(of words: [String]) -> String? {
        let text = words.joined(separator: "\n")
        return words.count <= mostWords && text.utf8.count <= mostBytes ? text : nil
    }

    /// Returns a request with the values of the form. Everything else is as in `request`.
    ///
    /// - Throws: ``RequestRejection`` with status 400 if the time to live is no number.
    func submission(like request: ComposeRequest) throws(RequestRejection) -> ComposeSubmission {
        func words(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }
        var submission = ComposeSubmission(inputsOf: request)
        submission.source.source = words(source).joined(separator: " ")
        func listed(_ text: String) -> [String]? { words(text).isEmpty ? nil : words(text) }
        if let packages { submission.source.packages = listed(packages) }
        if let builds { submission.source.builds = listed(builds) }
        submission.arches = listed(arches)
        // Without a list of keys, the keys of the server would be taken.
        submission.source.sigkeys = sigkeys.map { words($0) + (allowsUnsigned ? [""] : []) }
        submission.flags = flags.isEmpty ? nil : flags
        submission.results = request.results.names
        submission.targetDir = request.targetDir
        submission.composeType = request.composeType
        submission.label = label.isEmpty ? nil : label
        if let seconds = request.unsignedWaitSeconds {
            submission.onUnsigned = "wait"
            submission.unsignedWaitSeconds = seconds
        }
        guard let number = Int(hours.filter { $0 != " " }), (1...1_000_000).contains(number) else {
            throw .badRequest("The hours to live must be a number from 1 on, not \(hours.quoted).")
        }
        submission.secondsToLive = number * 3600
        return submission
    }
}

/// The page with the form.
struct AskAgainPage: Sendable {
    /// The fields about signing keys, for a source that has signed packages.
    struct Keys: Sendable {
        let list: String
        let allowsUnsigned: Bool
    }

    /// A field with several lines. It may be empty, and is there all the same.
    struct Lines: Sendable {
        let text: String
    }

    let id: Int
    let form: PageForm
    let refusal: String?
    let type, source, arches, hours, label: String
    let packages, builds: Lines?
    let keys: Keys?
    let flags: [Choice]
    let kept: String?

    init(_ values: AskAgainForm, _ compose: Compose, form: PageForm, refusal: String?) {
        let request = compose.request
        id = compose.id
        self.form = form
        self.refusal = refusal
        type = request.sourceType.name
        (source, arches, hours, label) = (values.source, values.arches, values.hours, values.label)
        (packages, builds) = (values.packages.map(Lines.init), values.builds.map(Lines.init))
        keys = values.sigkeys.map { Keys(list: $0, allowsUnsigned: values.allowsUnsigned) }
        flags = ComposeFlags.names.map { Choice(value: $0.name, text: $0.name, isChosen: values.flags.contains($0.name)) }
        let long = values.packages == nil ? " Its \(request.packages.count) packages stay as they are, too." : ""
        let lock = request.lock == nil ? "" : " The compose was made from a lock file, and the new one chooses its packages anew."
        let event = request.kojiEvent.map { " The packages are those at the event \($0) of Koji, as before." } ?? ""
        kept = "Modules, lookaside repositories, results, the type and the target directory stay as they are.\(long)\(event)\(lock)"
    }
}

extension SentForm {
    /// The last value of a field, which may be empty. `nil` if the field is missing. Browsers end the lines
    /// of a field with two characters.
    fileprivate func text(_ name: String) -> String? { all(name, orEmpty: true).last?.replacing("\r\n", with: "\n") }
}
