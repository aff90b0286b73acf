-- Health of OAuthClients, OAuthTenants and OAuthUsers for Argo CD, and of every other kind with Ready, Reconciling and Stalled.
-- In the ConfigMap argocd-cm:
--   resource.customizations.health.clientele.dev_OAuthClient: |   (this file)
--   resource.customizations.health.clientele.dev_OAuthTenant: |   (this file)
--   resource.customizations.health.clientele.dev_OAuthUser: |   (this file)
local health = { status = "Progressing", message = "waiting for the operator" }
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "is being deleted"
  return health
end
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if obj.status.observedGeneration ~= nil and obj.status.observedGeneration ~= obj.metadata.generation then
  health.message = "the operator has not seen the latest change yet"
  return health
end
if obj.spec ~= nil and (obj.spec.suspended == true or obj.spec.disabled == true) then
  health.status = "Suspended"
end
local conditions = {}
for _, condition in ipairs(obj.status.conditions) do
  conditions[condition.type] = condition
end
local ready = conditions["Ready"]
if ready ~= nil then
  health.message = ready.reason .. ": " .. (ready.message or "")
end
if health.status == "Suspended" then
  return health
end
if conditions["Stalled"] ~= nil and conditions["Stalled"].status == "True" then
  health.status = "Degraded"
elseif ready ~= nil and ready.status == "True" then
  health.status = "Healthy"
end
return health
