import ComposeModel
import ForeignText

/// Checks for composes that consist of Koji's files alone.
extension RequestValidator {
    /// Returns the delivery of a request: `link` if it names none. Throws if the request or the
    /// configuration does not allow it.
    func delivery(_ asked: String?, of request: ComposeRequest) throws(RequestRejection) -> Delivery {
        guard let asked else { return .link }
        guard let delivery = Delivery(rawValue: asked) else {
            throw .badRequest(
                "delivery is \(asked.quoted); it must be link (the compose has its packages) or reference (it says where they are).")
        }
        guard delivery == .reference else { return delivery }
        guard request.sourceType.traits.hasKojiFiles else {
            throw .badRequest(
                "delivery cannot be reference with the source type \(request.sourceType.name): only composes of tag and build can refer to their "
                    + "packages where they lie in Koji.")
        }
        guard admission.capabilities.allowsReference else {
            throw .badRequest(
                "delivery cannot be reference on this server: the setting koji.allow_reference is off in its configuration. "
                    + "Without it, the compose has its packages (link).")
        }
        guard request.results == .repository else {
            throw .badRequest(
                "delivery cannot be reference with the results \(request.results.names.joined(separator: ", ")): an image needs the packages' files."
            )
        }
        return delivery
    }

    /// Returns the number of seconds that the compose waits for signatures, or `nil` if it does not wait.
    func unsignedWait(_ body: ComposeRequestBody, of request: ComposeRequest) throws(RequestRejection) -> Int? {
        let asked = try positive(body.unsignedWaitSeconds, "unsigned_wait_seconds")
        switch body.onUnsigned {
        case nil, "fail":
            guard asked == nil else {
                throw .badRequest("unsigned_wait_seconds is for a compose that waits for signatures: on_unsigned must be wait then.")
            }
            return nil
        case "wait":
            guard request.sourceType.traits.hasKojiFiles else {
                throw .badRequest(
                    "on_unsigned cannot be wait with the source type \(request.sourceType.name): only composes of tag and build wait for signatures in Koji."
                )
            }
            guard !request.sigkeys.isEmpty, !request.sigkeys.contains("") else {
                throw .badRequest(
                    "on_unsigned is wait, but nothing would be waited for: "
                        + (request.sigkeys.isEmpty ? "sigkeys names no key." : "the empty key among sigkeys allows unsigned packages."))
            }
            return min(asked ?? limits.unsignedWaitSeconds, limits.unsignedWaitSeconds)
        case let other?:
            throw .badRequest("on_unsigned is \(other.quoted); it must be fail or wait.")
        }
    }
}
