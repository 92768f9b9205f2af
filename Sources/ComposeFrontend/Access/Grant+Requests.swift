import ComposeModel
import HTTPTypes
import Identity
import ImageModel

/// Checks of requests by the rules of their sender.
extension Grant {
    private static let advice = "Ask for less, or ask the operator of this service to change the rule."
    /// The number of rules that a sentence names.
    private static let mostRules = 3

    /// Reduces the time to live of a request to that of the rule that allows it, and returns the rule.
    /// Returns `nil` for an admin, whom no rule limits.
    ///
    /// - Throws: ``RequestRejection`` with status 403 if no rule allows all of the request.
    @discardableResult
    func admit(_ request: inout ComposeRequest) throws(RequestRejection) -> ClientRule? {
        guard let rules else { return nil }
        var refusals: [RuleRefusal] = []
        for rule in rules {
            guard let refusal = rule.refusal(of: request) else {
                request.secondsToLive = min(request.secondsToLive, rule.maxSecondsToLive ?? .max)
                return rule
            }
            refusals.append(refusal)
        }
        throw notAllowed(refusals.map(\.text))
    }

    /// Reduces the time to live of the request of a watch, as ``admit(_:)`` does. The rule must allow
    /// watches too.
    @discardableResult
    func admit(watch request: inout ComposeRequest) throws(RequestRejection) -> ClientRule? {
        guard let rules else { return nil }
        let watching = rules.filter(\.watches)
        guard !watching.isEmpty else { throw notAllowed(rules.map { "access.clients.\($0.name).watches is false" }) }
        return try Grant(identity: identity, isAdmin: isAdmin, rules: watching).admit(&request)
    }

    /// Returns the rule that allows actions on an image. Returns `nil` for an admin.
    ///
    /// - Throws: ``RequestRejection`` with status 403 if the token or all rules leave the image out.
    @discardableResult
    func admit(_ repository: ImageRepository) throws(RequestRejection) -> ClientRule? {
        try admit(images: [repository.path], [repository.description])
    }

    /// Throws ``RequestRejection`` with status 403 if all rules leave out all images.
    func admitImages() throws(RequestRejection) {
        guard let rules, rules.allSatisfy(\.repositories.words.isEmpty) else { return }
        throw notAllowed(rules.map { "access.clients.\($0.name).repositories is empty and allows no image" })
    }

    /// Returns the rule that allows a rebuild of a selection. A sender that is limited to some
    /// repositories must name images, and no others.
    @discardableResult
    func admit(_ selection: RebuildSelection) throws(RequestRejection) -> ClientRule? {
        // A beginning with a star as the only image stands for a selection that names none.
        let images = selection.images.isEmpty ? ["*"] : selection.images
        return try admit(images: images, images)
    }

    /// Returns the rule that allows images by one of their two names.
    private func admit(images: [String], _ others: [String]) throws(RequestRejection) -> ClientRule? {
        func missing(_ allowed: AllowedWords) -> String? {
            zip(images, others).first { !allowed.allow($0) && !allowed.allow($1) }?.0
        }
        if let patterns = identity.repositories, let image = missing(AllowedWords(patterns)) {
            throw RequestRejection(
                .forbidden, .token,
                "Not allowed: the token is limited to \(patterns.joined(separator: ", ")), and does not allow \(image).")
        }
        guard let rules else { return nil }
        var refusals: [RuleRefusal] = []
        for rule in rules {
            guard let image = missing(rule.repositories) else { return rule }
            refusals.append(RuleRefusal(rule: rule.name, list: "repositories", word: image, allowed: rule.repositories))
        }
        throw notAllowed(refusals.map(\.text))
    }

    private func notAllowed(_ reasons: [String]) -> RequestRejection {
        let more = reasons.count > Self.mostRules ? ", and \(reasons.count - Self.mostRules) more rules do not allow it" : ""
        return RequestRejection(
            .forbidden, .rule, "Not allowed: \(reasons.prefix(Self.mostRules).joined(separator: ", "))\(more). \(Self.advice)")
    }
}
