import ForeignText
import Foundation
import Identity
import OpenID
import ServiceConfiguration

/// The keys below `auth.openid` and `auth.workloads`.
extension ConfigurationReader {
    mutating func openID() throws -> ServerConfiguration.OpenID {
        var workloads: [ServerConfiguration.OpenID.Workload] = []
        for name in try chosenNames(below: "auth.workloads") {
            workloads.append(try workload(name, below: "auth.workloads.\(name)"))
        }
        let accounts = Set(workloads.map(\.rule.account))
        var providers: [ServerConfiguration.OpenID.Provider] = []
        for name in try chosenNames(below: "auth.openid") {
            var provider = try openIDProvider(name, below: "auth.openid.\(name)")
            provider.settings.reserved = accounts
            providers.append(provider)
        }
        try check(providers, workloads)
        return ServerConfiguration.OpenID(providers: providers, workloads: workloads)
    }

    private mutating func openIDProvider(_ name: String, below key: String) throws -> ServerConfiguration.OpenID.Provider {
        let issuer = try issuer("\(key).issuer")
        let settings = OpenIDSettings(
            name: name, audiences: try strings("\(key).audiences", default: []),
            authorizedParties: try strings("\(key).authorized_parties", default: []),
            userClaim: try string("\(key).user_claim", default: ""), groupsClaim: try string("\(key).groups_claim", default: "groups"),
            groupsFrom: try choice("\(key).groups_from", default: .claim),
            groupsRequired: try bool("\(key).groups_required", default: true),
            scopePrefix: try string("\(key).scope_prefix", default: ""), requiredScopes: try strings("\(key).required_scopes", default: []),
            checksScopes: try bool("\(key).check_scopes", default: true),
            introspection: try choice("\(key).introspection", default: .never),
            clientID: try string("\(key).client_id", default: ""),
            loginScopes: try strings("\(key).login_scopes", default: ["openid", "profile"]),
            skewSeconds: try int("\(key).clock_skew_seconds", default: 60, in: 0...600), prefix: try string("\(key).prefix", default: ""))
        guard !settings.audiences.isEmpty || !settings.authorizedParties.isEmpty else {
            throw mistake(key, "needs audiences or authorized_parties. Without them, a token for any other service would be accepted")
        }
        guard !settings.userClaim.isEmpty else {
            throw mistake(key, "needs user_claim, the claim with the name of the user. It must be one that users cannot choose")
        }
        guard settings.introspection == .never || !settings.clientID.isEmpty else {
            throw mistake("\(key).introspection", "needs client_id and client_secret_file, by which the provider knows this service")
        }
        let algorithms = try strings("\(key).algorithms", default: ["RS256", "ES256"]).map { name in
            guard let algorithm = SigningAlgorithm(rawValue: name) else {
                let known = SigningAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                throw mistake("\(key).algorithms", "has \(name.printable(most: 60)). It can have \(known)")
            }
            return algorithm
        }
        guard !algorithms.isEmpty else { throw mistake("\(key).algorithms", "is empty, so no token could be accepted") }
        let secretFile = try optionalPath("\(key).client_secret_file")
        if let secretFile { _ = try secret(in: secretFile, "\(key).client_secret_file") }
        let ca = try optionalPath("\(key).ca")
        try checkReadable(ca, "\(key).ca")
        return ServerConfiguration.OpenID.Provider(
            settings: settings, issuer: issuer, algorithms: algorithms, clientSecretFile: secretFile, ca: ca)
    }

    private mutating func workload(_ name: String, below key: String) throws -> ServerConfiguration.OpenID.Workload {
        let issuer = try issuer("\(key).issuer")
        let audience = try string("\(key).audience", default: "")
        guard !audience.isEmpty else {
            throw mistake(key, "needs audience. Without it, a token for any other service would be accepted")
        }
        var claims: [String: ClaimPattern] = [:]
        for claim in try names(below: "\(key).claims") {
            guard !claim.contains(".") else {
                throw mistake("\(key).claims", "has the claim \(claim), whose name has a dot. Use another claim")
            }
            let texts = try stringOrStrings("\(key).claims.\(claim)")
            guard !texts.isEmpty, !texts.contains("*"), !texts.contains("") else {
                throw mistake("\(key).claims.\(claim)", "must be a text or a list of texts. A text may end with *, but not be * alone")
            }
            claims[claim] = ClaimPattern(texts)
        }
        guard !claims.isEmpty else { throw mistake(key, "needs claims. Without them, each program of the issuer would be this workload") }
        let owner = try string("\(key).name", default: "workload/\(name)")
        let account: AccountName
        do throws(AccountName.Problem) { account = try AccountName(owner) } catch {
            throw mistake("\(key).name", error.reason)
        }
        let rule = WorkloadRule(name: name, audience: audience, claims: claims, account: account)
        if let pins = rule.missingPin(at: issuer) {
            throw mistake(
                "\(key).claims",
                "must pin \(pins.joined(separator: " or ")) to a number. Everybody can use this issuer, and names of repositories can be "
                    + "registered again by others")
        }
        let ca = try optionalPath("\(key).ca")
        try checkReadable(ca, "\(key).ca")
        return ServerConfiguration.OpenID.Workload(rule: rule, issuer: issuer, ca: ca)
    }

    /// Refuses a login to the pages that cannot work.
    func checkLogin(
        of frontend: ServerConfiguration.Frontend, _ auth: ServerConfiguration.Auth, _ openID: ServerConfiguration.OpenID
    ) throws {
        guard let name = frontend.login else { return }
        guard auth.mechanisms.contains(.openid), let provider = openID.providers.first(where: { $0.settings.name == name }) else {
            throw mistake(
                "frontend.login",
                "is \(name.printable(most: 60)). It must be a provider of auth.openid, and auth.mechanisms must have openid")
        }
        guard !provider.settings.clientID.isEmpty else {
            throw mistake("auth.openid.\(name)", "needs client_id, because frontend.login names it")
        }
        guard provider.settings.loginScopes.contains("openid") else {
            throw mistake("auth.openid.\(name).login_scopes", "must have openid, or the provider does not say who has logged in")
        }
        guard frontend.publicURL != nil else {
            throw mistake("frontend.login", "needs frontend.public_url, the address to which the provider sends the browser back")
        }
    }

    /// Refuses settings of several providers that would mix their people up.
    private func check(
        _ providers: [ServerConfiguration.OpenID.Provider], _ workloads: [ServerConfiguration.OpenID.Workload]
    ) throws {
        for (index, provider) in providers.enumerated() {
            let key = "auth.openid.\(provider.settings.name)"
            for other in providers[..<index] {
                let otherKey = "auth.openid.\(other.settings.name)"
                if provider.issuer == other.issuer { throw mistake("\(key).issuer", "is also that of \(otherKey)") }
                if provider.settings.introspection != .never, other.settings.introspection != .never {
                    throw mistake(
                        "\(key).introspection", "must be never, because \(otherKey) has it too. Each would see the tokens of the other")
                }
            }
            if workloads.contains(where: { $0.issuer == provider.issuer }) {
                throw mistake("\(key).issuer", "is also that of a workload. Give the workload a user of this provider instead")
            }
        }
        let accounts = Dictionary(grouping: workloads, by: \.rule.account).values.first { $0.count > 1 }
        if let accounts {
            throw mistake(
                "auth.workloads.\(accounts[1].rule.name).name",
                "is also that of auth.workloads.\(accounts[0].rule.name). Each workload has an account of its own")
        }
    }

    // MARK: Values

    /// Returns the names below a key in their order. They become parts of log lines and keys.
    private mutating func chosenNames(below key: String) throws -> [String] {
        let names = try names(below: key).sorted()
        for name in names where name.wholeMatch(of: /[A-Za-z0-9_-]{1,60}/) == nil {
            throw mistake(key, "has the name \(name.printable(most: 60)). A name is made of letters, digits, - and _")
        }
        return names
    }

    private mutating func issuer(_ key: String) throws -> ProviderURL {
        guard let issuer = ProviderURL(try string(key, default: "")) else {
            throw mistake(key, "must be an https URL, such as https://id.example.org/realms/main. On this host it may be an http URL")
        }
        return issuer
    }

    private mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String, default value: Choice) throws -> Choice {
        Choice(rawValue: try string(key, default: value.rawValue, allowed: Choice.allCases.map(\.rawValue))) ?? value
    }
}
