import ComposeFrontend
import Deliveries
import ServerTLS

extension ServerConfiguration {
    /// The combinations of `auth`, `access` and other sections that are accepted, but are probably a
    /// mistake. Each finding says the remedy too.
    var accessFindings: [String] {
        var findings: [String] = []
        if auth.mechanisms.isEmpty {
            if access != AccessRules() {
                findings.append(
                    "access has no effect: auth.mechanisms is empty, so everyone may do everything. Name the ways by which clients show "
                        + "their identity in auth.mechanisms.")
            }
            if !FrontendConfiguration.isLoopback(frontend.host) {
                findings.append(
                    "frontend.host is \(frontend.host), and auth.mechanisms is empty: everyone who reaches this address may do everything, "
                        + "because frontend.open_to_all is on. Name the ways by which clients show their identity in auth.mechanisms.")
            }
        } else if access.clients.isEmpty, access.admins.isEmpty {
            findings.append(
                "access names nobody, so nobody may ask for a compose. Name accounts in access.admins or in rules below access.clients.")
        }
        findings += tokenFindings
        let configured: [(Auth.Mechanism, Bool)] = [
            (.openid, !openID.providers.isEmpty), (.workloads, !openID.workloads.isEmpty), (.kerberos, kerberos != nil),
            (.certificates, tls?.files.clientAuthorities != nil),
        ]
        for (mechanism, isConfigured) in configured where isConfigured && !auth.mechanisms.contains(mechanism) {
            findings.append(
                "auth.\(mechanism.rawValue) has no effect: auth.mechanisms does not have \(mechanism.rawValue). Add it there.")
        }
        for rule in access.clients {
            let key = "access.clients.\(rule.name)"
            if rule.members.isEmpty {
                findings.append("\(key) has no users, groups or workloads, so it is nobody's rule. Name some, or remove it.")
            }
            if !rule.members.workloads.isEmpty, !auth.mechanisms.contains(.workloads) {
                findings.append("\(key).workloads has no effect: auth.mechanisms does not have workloads. Add it there.")
            }
            for target in rule.targetDirs.words where target != "" && !target.hasSuffix("*") && composes.targets[target] == nil {
                findings.append("\(key).target_dirs has \(target), which composes.targets does not have. Add it there, or remove it here.")
            }
            if let longest = rule.maxSecondsToLive, longest > composes.maxSecondsToLive {
                findings.append(
                    "\(key).max_seconds_to_live is \(longest), but composes.max_seconds_to_live is \(composes.maxSecondsToLive), and the "
                        + "lower one counts. Raise the second one, or lower the first.")
            }
        }
        return findings
    }

    private var tokenFindings: [String] {
        var findings: [String] = []
        if auth.tokens.warnDays == 0, events.hasTokenReceivers {
            findings.append("events.token_webhooks get nothing, because auth.tokens.warn_days is 0. Raise it, or remove the addresses.")
        }
        if let most = auth.tokens.mostDays, auth.tokens.warnDays >= most {
            findings.append(
                "auth.tokens.warn_days is \(auth.tokens.warnDays), and auth.tokens.max_days is \(most): every answer to a token warns of its "
                    + "end. Lower the first one.")
        }
        return findings
    }
}
