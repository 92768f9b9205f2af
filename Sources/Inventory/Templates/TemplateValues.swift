import ImageModel

/// *Template values* are the values that a template can use for one image and platform.
struct TemplateValues {
    let values: [String: any Sendable]

    /// - Parameter parameters: The values of the parameters, by name.
    init(_ image: InventoryImage, _ platform: Platform, parameters: [Parameter: String]) {
        var values: [String: any Sendable] = [
            "image": image.name, "platform": platform.description, "os": platform.os, "architecture": platform.architecture,
            "packages": image.packages,
        ]
        if let variant = platform.variant { values["variant"] = variant }
        for (parameter, value) in parameters where !value.isEmpty {
            if parameter.isSwitch { values[parameter.name] = value == "Y" } else { values[parameter.name] = value }
        }
        for (name, variable) in image.variables {
            switch variable {
            case .text(let text): if !text.isEmpty { values[name] = text }
            case .flag(let flag): values[name] = flag
            case .list(let list): values[name] = list
            }
        }
        self.values = values
    }

    /// Returns the names that templates of an inventory can use, each with the greatest number of elements
    /// of its list. A single value counts as one element.
    static func names(in inventory: Inventory) -> [String: Int] {
        var names = Dictionary(uniqueKeysWithValues: Parameter.reservedNames.map { ($0, 1) })
        for parameter in inventory.parameters { names[parameter.name] = 1 }
        for image in inventory.images {
            names["packages"] = max(names["packages"] ?? 1, image.packages.count)
            for (name, variable) in image.variables {
                let count = if case .list(let list) = variable { list.count } else { 1 }
                names[name] = max(names[name] ?? 1, count)
            }
        }
        return names
    }
}
