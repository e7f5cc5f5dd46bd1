-- SPDX-License-Identifier: BSD-3-Clause
-- tshark dissector for the binding messages of Mobile IPv4 route optimization (draft-ietf-mobileip-optim-09: Warning 16,
-- Request 17, Update 18, Acknowledge 19) with this project's extensions (doc/protocol.md).  Written from the documents,
-- not from agent/mip: it is the second opinion.  Everything else on UDP port 434 goes to tshark's own `mip`.
--   tshark -X lua_script:tests/mipbinding.lua -Y mipbinding -r capture
local VENDOR = 32473
local names = {[16] = "Binding Warning", [17] = "Binding Request", [18] = "Binding Update", [19] = "Binding Acknowledge"}
local statuses = {[0] = "accepted", [128] = "unspecified", [129] = "prohibited", [130] = "insufficient resources",
	[131] = "authentication failed", [133] = "Identification mismatch", [134] = "poorly formed"}
local extensions = {[36] = "generalized authentication", [38] = "critical vendor extension"}

local p = Proto("mipbinding", "Mobile IP Binding")
local f = {
	type = ProtoField.uint8("mipbinding.type", "Type", base.DEC, names),
	flags = ProtoField.uint8("mipbinding.flags", "Flags", base.HEX),
	ack = ProtoField.bool("mipbinding.flags.a", "Acknowledge", 8, nil, 0x80),
	id = ProtoField.bool("mipbinding.flags.i", "Identification present", 8, nil, 0x40),
	minimal = ProtoField.bool("mipbinding.flags.m", "Minimal encapsulation", 8, nil, 0x20),
	gre = ProtoField.bool("mipbinding.flags.g", "GRE", 8, nil, 0x10),
	lifetime = ProtoField.uint16("mipbinding.lifetime", "Lifetime (s)"),
	status = ProtoField.uint8("mipbinding.status", "Status", base.DEC, statuses),
	home = ProtoField.ipv4("mipbinding.home", "Home address"),
	care_of = ProtoField.ipv4("mipbinding.care_of", "Care-of address"),
	ident = ProtoField.uint64("mipbinding.ident", "Identification", base.HEX),
	target = ProtoField.ipv4("mipbinding.target", "Target"),
	ext = ProtoField.uint8("mipbinding.ext", "Extension", base.DEC, extensions),
	ext_len = ProtoField.uint16("mipbinding.ext.length", "Length"),
	vendor = ProtoField.uint32("mipbinding.vendor", "Vendor"),
	vendor_type = ProtoField.uint16("mipbinding.vendor.type", "Vendor type", base.DEC,
		{[2] = "sealed VPN profile", [3] = "profile number", [4] = "sealed handoff"}),
	key_home_agent = ProtoField.ipv4("mipbinding.key.home_agent", "Key of home agent"),
	profile = ProtoField.uint32("mipbinding.profile", "Profile number"),
	context = ProtoField.string("mipbinding.key.context", "Key context"),
	sealed = ProtoField.bytes("mipbinding.sealed", "Sealed profile"),
	handoff = ProtoField.bytes("mipbinding.handoff", "Sealed handoff"),
	subtype = ProtoField.uint8("mipbinding.auth.subtype", "Subtype", base.DEC,
		{[200] = "route optimization", [201] = "smooth handoff"}),
	spi = ProtoField.uint32("mipbinding.auth.spi", "SPI"),
	mac = ProtoField.bytes("mipbinding.auth.authenticator", "Authenticator"),
}
p.fields = f
local bad = ProtoExpert.new("mipbinding.malformed", "Malformed", expert.group.MALFORMED, expert.severity.ERROR)
p.experts = {bad}

-- vendor, vendor type, home agent, profile number, length of context, context, and for type 2 the seal: nonce 12, text, tag 16;
-- type 4 has the seal and nothing else
local function vendor_extension(data, tree)
	if data:len() < 6 then return false end
	local vendor, kind = data(0, 4):uint(), data(4, 2):uint()
	tree:add(f.vendor, data(0, 4))
	tree:add(f.vendor_type, data(4, 2))
	if vendor ~= VENDOR or kind < 2 or kind > 4 then return true end
	if kind == 4 then
		if data:len() <= 6 + 28 then return false end
		tree:add(f.handoff, data(6))
		return true
	end
	if data:len() < 15 then return false end
	local n = data(14, 1):uint()
	local at = 15 + n
	if n == 0 or data:len() < at then return false end
	tree:add(f.key_home_agent, data(6, 4))
	tree:add(f.profile, data(10, 4))
	tree:add(f.context, data(15, n))
	if kind == 3 then return data:len() == at end
	if data:len() <= at + 28 then return false end
	tree:add(f.sealed, data(at))
	return true
end

local function authentication(data, tree)
	if data:len() < 5 then return false end
	tree:add(f.spi, data(0, 4))
	tree:add(f.mac, data(4))
	return data:len() == 4 + 32
end

-- Returns the offset behind the extension, nil when it is malformed.
local function extension(buf, at, tree)
	local left = buf:len() - at
	if left < 2 then return nil end
	local kind = buf(at, 1):uint()
	local long = kind == 36 or kind == 38
	if long and left < 4 then return nil end
	local head = long and 4 or 2
	local len = long and buf(at + 2, 2):uint() or buf(at + 1, 1):uint()
	if left < head + len then return nil end
	local sub = tree:add(f.ext, buf(at, 1))
	sub:set_len(head + len)
	sub:add(f.ext_len, long and buf(at + 2, 2) or buf(at + 1, 1))
	local good = true
	if kind == 38 then
		good = len > 0 and vendor_extension(buf(at + 4, len):tvb(), sub)
	elseif kind == 36 then
		sub:add(f.subtype, buf(at + 1, 1))
		good = len > 0 and authentication(buf(at + 4, len):tvb(), sub)
	end
	return good and at + head + len or nil
end

local function update(buf, tree)
	if buf:len() < 12 then return nil end
	local flags = tree:add(f.flags, buf(1, 1))
	for _, x in ipairs({f.ack, f.id, f.minimal, f.gre}) do flags:add(x, buf(1, 1)) end
	tree:add(f.lifetime, buf(2, 2))
	tree:add(f.home, buf(4, 4))
	tree:add(f.care_of, buf(8, 4))
	if bit.band(buf(1, 1):uint(), 0x40) == 0 then return 12 end
	if buf:len() < 20 then return nil end
	tree:add(f.ident, buf(12, 8))
	return 20
end

local function warning(buf, tree)
	if buf:len() < 12 then return nil end
	tree:add(f.home, buf(4, 4))
	local at = 8
	while buf:len() - at >= 4 do
		tree:add(f.target, buf(at, 4))
		at = at + 4
	end
	return at
end

local function request_or_ack(buf, tree)
	if buf:len() < 16 then return nil end
	if buf(0, 1):uint() == 19 then tree:add(f.status, buf(3, 1)) end
	tree:add(f.home, buf(4, 4))
	tree:add(f.ident, buf(8, 8))
	return 16
end

function p.dissector(buf, info, root)
	local kind = buf(0, 1):uint()
	info.cols.protocol = "MIP-BIND"
	info.cols.info = names[kind]
	local tree = root:add(p, buf())
	tree:add(f.type, buf(0, 1))
	local at = (kind == 18 and update or kind == 16 and warning or request_or_ack)(buf, tree)
	while at and at < buf:len() do at = extension(buf, at, tree) end
	if not at then tree:add_proto_expert_info(bad) end
	return buf:len()
end

local ports = DissectorTable.get("udp.port")
local others = ports:get_dissector(434)
local front = Proto("mipbinding_port", "Mobile IP port")
function front.dissector(buf, info, root)
	if buf:len() > 0 and names[buf(0, 1):uint()] then
		return p.dissector(buf, info, root)
	end
	return others and others:call(buf, info, root) or 0
end
ports:add(434, front)
